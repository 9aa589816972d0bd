// Who else may have frozen or thawed the guest during a session. Listed afresh after the thaw, because a watch cannot
// prove that nobody did. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "freeze/reasons.h"
#include "freeze/session.h"

namespace snapfreeze::freeze {

// An object that stands for somebody else who freezes and thaws a VM.
struct Freezer {
  std::string name;
  std::string uid;
  std::string vm;  // "" when it is not known: it then counts for every VM
  std::optional<Wall> created;
  bool over = false;
  std::optional<Wall> ended;       // when it ended, if the object says so
  std::optional<Millis> deadline;  // Harvester's freeze deadline; 0: it sets no timer

  // Of a Harvester backup. Harvester freezes before each attempt to make a snapshot that is listed and does not exist.
  // The attempt then makes the snapshot, or rewrites the error.
  std::vector<std::string> snapshots;  // their names
  bool froze = false;                  // its annotation says that Harvester has frozen for it
  std::optional<Wall> changed;         // when its error or a condition was last written; Harvester's clock
  bool all_made = false;               // read afresh: each of `snapshots` exists
  std::optional<Wall> last_made;       // read afresh: when the latest of them was created
  bool deleted = false;                // seen during the session, and gone since
  bool created_later = false;          // it was seen to be created after our freeze had been answered
};

[[nodiscard]] Freezer harvester_backup(const Json& backup);  // harvesterhci.io VirtualMachineBackup
// VirtualMachineSnapshot. Its end thaws the guest, even if it failed at its deadline or was deleted before its end.
[[nodiscard]] Freezer kubevirt_snapshot(const Json& snapshot);
[[nodiscard]] Freezer kubevirt_backup(const Json& backup);  // backup.kubevirt.io VirtualMachineBackup: likewise

// Whether the backup's snapshots decide if it counts below. `all_made` and `last_made` must then be read first. A
// caller that cannot read them sets `last_made` to the latest time there is, so that the backup counts.
[[nodiscard]] bool depends_on_snapshots(const Session& session, Millis margin, const Freezer& harvester_backup);

// Another Harvester backup of this VM that may have slipped its own freeze between our unfreeze and our freeze, or
// nullptr. KubeVirt then answers ours at once and changes nothing, although that freeze runs on a timer of its own, or
// has failed half-way. So nothing can be proven, whatever its deadline is.
//
// It counts if it may have been created before our freeze was answered and may have acted since 5 s before the start:
// it joined, was created, made a snapshot, rewrote its error, or was deleted since. One that was left behind in error
// does none of this, and neither does one that only uploads. A session of labelled snapshots begins without an
// unfreeze: a backup then counts for as long as its timer runs, too. `margin`: how far the clocks of several API
// servers differ.
[[nodiscard]] const Freezer* harvester_interfered(const Session& session, Millis margin,
                                                  std::span<const Freezer> backups);

// A freezer of KubeVirt's own for this VM that was active at the session's start or later, or nullptr.
[[nodiscard]] const Freezer* kubevirt_interfered(const Session& session, std::span<const Freezer> freezers);

}  // namespace snapfreeze::freeze
