// The labelled VolumeSnapshots.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "freeze/verdict.h"
#include "sweeper/facts.h"
#include "sweeper/world/captures.h"
#include "sweeper/world/table.h"

namespace snapfreeze::sweeper {

struct SnapshotRecord {
  SnapshotFacts facts;
  Mono first_seen{};
  Mono stray_since{};
  std::string first_version;              // its resourceVersion then
  bool live = false;                      // seen from its creation on
  bool vmi_seen = false;                  // its guest has had a VMI that was not off, since it was first seen
  std::optional<freeze::Verdict> judged;  // by this process

  [[nodiscard]] bool verdict_given() const { return facts.verdict.has_value(); }
  [[nodiscard]] bool of_harvester() const;
};

// Not thread-safe.
class Snapshots {
 public:
  // The facts as they were before; nullopt: it is new, or was forgotten. `created`: it has just come into being.
  std::optional<SnapshotFacts> apply(const SnapshotFacts& facts, bool created, Mono now);
  std::optional<SnapshotRecord> remove(const std::string& uid);

  template <class Change>
  void change(const std::string& uid, const Change& change) {
    table_.change(uid, change);
  }

  [[nodiscard]] const SnapshotRecord* find(const std::string& uid) const { return table_.find(uid); }
  // Those of that namespace whose label says that epoch.
  [[nodiscard]] const std::set<std::string>& of_epoch(const std::string& ns, const std::string& epoch) const;
  // Those that a Harvester backup controls, by its uid.
  [[nodiscard]] const std::set<std::string>& of_backup(const std::string& backup_uid) const {
    return table_.at<ByBackup>(backup_uid);
  }

  // Its backup, which is only a label, is spoken of from now on.
  void tell(const SnapshotFacts& facts, Mono now);
  // When it was last; nullopt: not lately.
  [[nodiscard]] std::optional<Mono> told(const SnapshotFacts& facts) const;

  template <class Visitor>
  void for_each(const Visitor& visit) const {
    table_.for_each(visit);
  }
  [[nodiscard]] std::size_t size() const { return table_.size(); }
  [[nodiscard]] Listed& listed() { return table_; }

 private:
  struct ByEpoch {
    static std::string key(const SnapshotRecord& record);
  };
  struct ByBackup {
    static std::string key(const SnapshotRecord& record);
  };

  Table<SnapshotRecord, ByEpoch, ByBackup> table_;  // by uid
  std::map<std::string, Mono> told_;                // labelled backups without a session
};

}  // namespace snapfreeze::sweeper
