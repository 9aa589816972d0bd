// The Harvester backups that were read within the last second. The disks of a backup come 30 to 70 ms apart, so most of
// them find theirs here and join the session by one read: that of the Lease.
//
// A disk is let in by this only if its session has a hold for the very uid of its backup, and the backup named it when
// it was read. If the backup changed since then, the sweeper sees it before it says "filesystem": it judges by what the
// backup names at the end.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "kube/views.h"

namespace snapfreeze::webhook {

// Thread-safe; holds no lock across a call.
class RecentBackups {
 public:
  static constexpr Millis kAge{1000};

  // `asked`: when the read began.
  void note(std::string_view ns, const kube::BackupView& backup, Mono asked);

  // The VM of the backup with that uid, if it names `snapshot`.
  [[nodiscard]] std::optional<std::string> vm_of(std::string_view ns, std::string_view uid, std::string_view snapshot,
                                                 Mono now);

 private:
  // A name has at most 253 bytes, so all of this takes at most 2.5 MiB. A backup that exceeds it, or whose status holds
  // something else than names, is read each time.
  static constexpr std::size_t kMostBackups = 256;
  static constexpr std::size_t kMostDisks = 32;

  struct Entry {
    Mono asked;
    std::string ns;
    std::string uid;
    std::string vm;
    std::vector<std::string> snapshots;
  };

  std::mutex mutex_;
  std::deque<Entry> entries_;  // the latest comes last
};

}  // namespace snapfreeze::webhook
