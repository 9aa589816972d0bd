// Who else may have frozen or thawed the guest during a session. Listed afresh after the thaw, since nothing that was
// watched could prove that nobody did. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "freeze/session.h"

namespace snapfreeze::freeze {

// An object that stands for somebody who freezes and thaws a VM on its own account.
struct Freezer {
  std::string name;
  std::string uid;
  std::string vm;  // "" when it cannot be told: it counts for each VM
  std::optional<Wall> created;
  bool over = false;
  std::optional<Wall> ended;       // when it was over, if the object says so
  std::optional<Millis> deadline;  // Harvester's freeze deadline; 0: it sets no timer

  // Of a Harvester backup. Harvester freezes before each attempt to make one of the snapshots that it has written
  // down and that does not exist; the attempt then makes it, or rewrites the error.
  std::vector<std::string> snapshots;  // their names
  bool froze = false;                  // its annotation says that Harvester has frozen for it
  std::optional<Wall> changed;         // its error or a condition was written last; Harvester's clock
  bool all_made = false;               // read afresh: each of `snapshots` exists
  std::optional<Wall> last_made;       // read afresh: when the latest of them was created
  bool deleted = false;                // it was seen during the session, and is gone
};

[[nodiscard]] Freezer harvester_backup(const Json& backup);  // harvesterhci.io VirtualMachineBackup
// VirtualMachineSnapshot. Its end thaws the guest: also when it failed at its deadline, or is deleted before its end.
[[nodiscard]] Freezer kubevirt_snapshot(const Json& snapshot);
[[nodiscard]] Freezer kubevirt_backup(const Json& backup);  // backup.kubevirt.io VirtualMachineBackup: likewise

// Up to when after the session's start a capture must have been observed to count, and why later ones do not.
struct Proof {
  Millis window{0};
  std::string_view reason;
  std::string other{};  // the backup that shortened it, by name
};

// Whether it depends on its snapshots if the backup counts below: `all_made` and `last_made` must be read first. What
// is left unread counts in doubt.
[[nodiscard]] bool depends_on_snapshots(const Session& session, Millis margin, const Freezer& harvester_backup);

// The guest cannot thaw by our timer before start + T; `margin` is kept off for clocks of several API servers.
//
// Another Harvester backup of this VM than the one that began the session may have slipped its own freeze between our
// unfreeze and our freeze; KubeVirt does not re-arm, so its deadline (1 s if it names none) is then the one that runs.
// It counts when it was created before our freeze had answered and may have acted since 5 s before the start: it
// joined, was created, made a snapshot or rewrote its error then, or was deleted since. A backup in error that is left
// behind, and one that only uploads, did neither. A session of labelled snapshots begins without an unfreeze, so
// that a timer which is older than the session leaves nothing to prove.
[[nodiscard]] Proof proof_window(const Session& session, Millis margin, std::span<const Freezer> harvester_backups);

// One of KubeVirt's own freezers of this VM that was active at the session's start or has been since, or nullptr.
[[nodiscard]] const Freezer* kubevirt_interfered(const Session& session, std::span<const Freezer> freezers);

}  // namespace snapfreeze::freeze
