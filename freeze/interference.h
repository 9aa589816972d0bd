// Who else may have frozen or thawed the guest during a session. Listed afresh after the thaw, since nothing that was
// watched could prove that nobody did. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

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
};

[[nodiscard]] Freezer harvester_backup(const Json& backup);     // harvesterhci.io VirtualMachineBackup
[[nodiscard]] Freezer kubevirt_snapshot(const Json& snapshot);  // VirtualMachineSnapshot: its end thaws the guest
[[nodiscard]] Freezer kubevirt_backup(const Json& backup);      // backup.kubevirt.io VirtualMachineBackup: likewise

// Up to when after the session's start a capture must have been observed to count, and why later ones do not.
struct Proof {
  Millis window{0};
  std::string_view reason;
};

// The guest cannot thaw by our timer before start + T; `margin` is kept off for clocks of several API servers.
//
// Another Harvester backup of this VM than the one that began the session may have slipped its own freeze between our
// unfreeze and our freeze; KubeVirt does not re-arm, so its deadline (1 s if it names none) is then the one that runs.
// It counts when it was created before our freeze had answered, and was unfinished then or had ended less than 5 s
// before.
[[nodiscard]] Proof proof_window(const Session& session, Millis margin, std::span<const Freezer> harvester_backups);

// Whether one of KubeVirt's own freezers of this VM was active at the session's start or has been since.
[[nodiscard]] bool kubevirt_interfered(const Session& session, std::span<const Freezer> freezers);

}  // namespace snapfreeze::freeze
