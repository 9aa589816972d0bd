// How a backup went, by what the cluster's own objects still say, and why it has its verdict. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/explain/lane.h"
#include "cli/shared/capture_reads.h"
#include "cli/shared/spoilers.h"
#include "freeze/session.h"
#include "kube/views.h"

namespace snapfreeze::cli {

struct DiskFacts {
  std::string snapshot;                        // the name of the VolumeSnapshot
  std::optional<kube::SnapshotView> view;      // nullopt: there is none
  std::optional<Wall> captured_by_snapshot;    // its own status.creationTime
  std::optional<Capture> captured_by_storage;  // earlier and more exact
};

struct EventFacts {
  std::optional<Wall> at;
  std::string reason;
  std::string note;
};

struct ExplainFacts {
  Wall now;
  std::string namespace_;
  std::string name;
  std::optional<kube::BackupView> backup;  // nullopt: snapshots with a label are the backup
  std::vector<DiskFacts> disks;            // of the newest backup with that label
  std::size_t earlier_backups = 0;         // with the same label
  std::optional<freeze::Session> session;  // the one that still holds the guest for it
  std::vector<EventFacts> events;          // about the backup, or the first of its snapshots
  Others others;                           // as far as wanted_by() asks
  std::vector<std::string> unseen;         // what could not be read, and why
};

// The reasons on the backup and its snapshots, each once.
[[nodiscard]] std::vector<std::string> reasons_of(const ExplainFacts& facts);

struct TimelineLine {
  std::optional<Wall> at;  // nullopt: unknown
  std::string says;
};

struct Explanation {
  std::string title;        // "backup prod/nightly of VM db1"
  std::string consistency;  // "" when it has no verdict
  std::string reason;
  std::string frozen_for;
  std::string why;                    // in words
  std::vector<std::string> spoilers;  // what caused the reasons, by name
  std::string harvester_error;        // of the backup, with its time; "" when there is none
  std::vector<std::string> notes;     // what else the reader must know
  std::vector<TimelineLine> timeline;
  std::vector<std::string> disks;  // one line each
  Lane lane;

  [[nodiscard]] bool consistent() const;  // filesystem or offline
};

// Times come from three clocks: the API server's, in whole seconds; the storage's; and, for Events, the sweeper's. So
// lines that are less than a second or two apart may be in the wrong order. The verdict does not rest on them.
[[nodiscard]] Explanation explain(const ExplainFacts& facts);
[[nodiscard]] std::string to_text(const Explanation& explanation, bool colours);

}  // namespace snapfreeze::cli
