// A system as seen at one moment: what the API says, and what really happened in the guests and on the disks.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "test/scenarios/runner/scenario.h"

namespace runner {

// Since the scenario's start.
using Since = std::chrono::microseconds;

struct Interval {
  Since from{0};
  std::optional<Since> until;  // nullopt: still

  [[nodiscard]] bool covers(Since first, Since last) const { return from <= first && (!until || *until > last); }
  [[nodiscard]] bool touches(Since first, Since last) const { return from <= last && (!until || *until >= first); }
};

struct Frozen : Interval {
  std::string frozen_by;  // webhook, harvester, ...
  std::string thawed_by;  // sweeper, webhook, timer, windows, power-off, kubevirt, ...
  bool whole = true;      // false: some filesystems still wrote
};

// Whoever has a disk may write it.
struct Holder : Interval {
  std::string by;  // "vm namespace/name", "pod namespace/name"
};

struct Guest {
  std::vector<Frozen> frozen;
  std::vector<Interval> powered;
};

struct SeenSnapshot {
  std::string uid;
  std::string disk;
  std::string backup;  // owner or label
  std::string vm;      // "namespace/name", of whom the disk is
  std::string claim;   // "namespace/disk"
  std::string epoch;
  Verdict verdict{"none", ""};
  std::optional<Since> cut;
};

struct SeenBackup {
  Verdict verdict{"none", ""};
  bool complete = false;
};

struct Observed {
  Since now{0};
  std::map<std::string, Guest> guests;                 // "namespace/name"
  std::map<std::string, SeenSnapshot> snapshots;       // likewise
  std::map<std::string, SeenBackup> backups;           // likewise
  std::map<std::string, std::vector<Holder>> holders;  // by claim, "namespace/name"
  Since longest_admission{0};
  std::vector<Since> longhorn_calls;    // of its REST API, in order
  std::vector<std::string> unrecorded;  // calls to a guest without an intent in its Lease, where a level can tell
  int sessions = 0;                     // Leases
};

}  // namespace runner
