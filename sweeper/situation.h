// What is known of one session, one snapshot without a session, or one guest: the planner's input, plain values.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "freeze/session.h"
#include "freeze/verdict.h"
#include "sweeper/captures.h"
#include "sweeper/facts.h"

namespace snapfreeze::sweeper {

// What the watches have shown of a session in this process. What was seen once stays.
struct Sightings {
  Mono first_seen{};
  bool from_birth = false;           // it appeared while we watched, so that first_seen is not too late
  Mono phase_since{};                // when its present phase was first seen
  std::optional<Mono> frozen_since;  // when the phase Frozen was first seen
  bool vmi_seen = false;
  bool reported_frozen = false;  // by the VMI, while the phase was Frozen
  bool lapsed = false;           // reported frozen, then no more, while the phase was Frozen
  bool agent_lost = false;       // not connected, while the phase was Frozen
  bool migrated = false;
  bool kubevirt_snapshot = false;
  std::optional<std::string> migration_uid;  // the first one seen, of an earlier migration
};

struct HoldSituation {
  freeze::Hold hold;
  std::vector<std::string> names;  // Harvester: the set to wait for; empty when it is not known
  Mono quiet_since{};              // when the hold, or its last new member, was first seen
  bool deleted = false;            // the backup, or a member that had been seen
  std::set<std::string> deleted_names;
  std::map<std::string, freeze::Verdict> elsewhere;  // verdicts of members that have another epoch, by name
};

struct Member {
  std::string uid;
  std::string namespace_;
  std::string name;
  std::string claim;                 // of the disk it is of
  std::optional<std::size_t> hold;   // index into Situation::holds
  std::optional<Observed> captured;  // only if created since the session began
  std::string consistency;           // the verdict, "" when none was given
  std::string reason;
  bool failed = false;  // its driver says no
};

struct GuestSituation {
  bool known = false;  // the VMIs were listed
  bool gone = false;   // no VMI, another one, or not running
  bool deleting = false;
  bool migrating = false;
};

struct Situation {
  freeze::Session session;
  Sightings sightings;
  std::vector<HoldSituation> holds;
  std::vector<Member> members;  // snapshots of this epoch
  GuestSituation guest;
};

// A labelled backup without a session is spoken of once: what comes so soon after belongs to it.
inline constexpr std::chrono::seconds kSameLabel{30};

// A labelled snapshot whose epoch is no session that we know.
struct Stray {
  SnapshotFacts facts;
  Mono since{};        // when it was first seen to be one
  bool fresh = false;  // it was news; its backup may be news too, and late
  bool captured = false;
  Mono captured_at{};
  bool watched = false;                        // we saw it, its capture and its guest throughout, without a gap
  bool vmi_seen = false;                       // its guest has had a VMI meanwhile
  std::optional<freeze::Verdict> own_verdict;  // that it has
  std::optional<BackupFacts> backup;
  // Of the backup's members, by name: verdicts given.
  std::map<std::string, freeze::Verdict> verdicts;
  // The others that its backup lists, as far as they are known.
  struct Sibling {
    SnapshotFacts facts;
    bool captured = false;
    bool watched = false;
    bool vmi_seen = false;
  };
  std::vector<Sibling> siblings;
  std::optional<Mono> told;  // labelled: when its backup was last spoken of
};

// A guest that reports to be frozen where no session of ours is.
struct FrozenGuest {
  VmiFacts vmi;
  Mono since{};
  std::vector<BackupFacts> backups;  // of its VM, the last one that was deleted included
};

}  // namespace snapfreeze::sweeper
