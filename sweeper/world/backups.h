// Harvester's backups.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sweeper/facts.h"
#include "sweeper/situation.h"
#include "sweeper/world/captures.h"
#include "sweeper/world/table.h"

namespace snapfreeze::sweeper {

// Not thread-safe.
class Backups {
 public:
  // The facts as they were before; nullopt: it is new, or was forgotten. `added`: it has just come into being.
  std::optional<BackupFacts> apply(const BackupFacts& facts, bool added, Observed now);
  std::optional<BackupFacts> remove(const std::string& uid, Mono now);
  // A snapshot of it was created: Harvester works on it.
  void acted(const std::string& uid, Mono now);
  // A webhook of ours has admitted a snapshot of it.
  void admitted(const std::string& uid, const std::string& snapshot);
  void judged(const std::string& uid, const freeze::Verdict& verdict);

  [[nodiscard]] const BackupFacts* find(const std::string& uid) const;
  [[nodiscard]] const std::set<std::string>& of_guest(const std::string& guest) const {
    return table_.at<ByGuest>(guest);
  }
  [[nodiscard]] const BackupRecord* record(const std::string& uid) const { return table_.find(uid); }
  // Those that were deleted, or became another guest's, within the last hour.
  [[nodiscard]] std::vector<DeletedBackup> deleted(const std::string& guest) const;

  // Drops what is finished and older than that. `bound`: the API server's present, at most.
  void forget_old(Wall bound, Mono now);

  [[nodiscard]] std::size_t size() const { return table_.size(); }
  [[nodiscard]] Listed& listed() { return table_; }

 private:
  struct ByGuest {
    static std::string key(const BackupRecord& record);
  };
  void remember_deleted(const BackupRecord& record, Mono now);
  void forget_oldest_deleted();

  Table<BackupRecord, ByGuest> table_;                         // by uid
  std::map<std::string, std::vector<DeletedBackup>> deleted_;  // by guest
};

}  // namespace snapfreeze::sweeper
