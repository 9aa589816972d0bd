// The bounds an admin can set, and how long a guest may be frozen.
#pragma once

#include <chrono>
#include <optional>

#include "base/clock.h"

namespace snapfreeze::freeze {

struct Policy {
  std::chrono::seconds default_timer{30};  // T when the backup names none
  std::chrono::seconds max_timer{60};
  std::chrono::seconds cool_down{60};  // after a session that captured nothing or lapsed
  Millis gather{5000};                 // a Harvester backup without a new member for so long has stalled
  Millis label_gather{2000};           // the same for labelled snapshots without a count
  Millis margin{1000};                 // how far the clocks of several API servers may differ
};

// With less, no capture could be proven: see judge_snapshot in verdict.h.
inline constexpr std::chrono::seconds kMinTimer{5};
// VSS gives up at 10 s.
inline constexpr std::chrono::seconds kWindowsTimer{8};

// T in whole seconds, never 0, since KubeVirt reads 0 as "no timer" and drops fractions. It is the backup's `deadline`
// when that is set and not 0, else the default; at least kMinTimer, at most max_timer, on Windows at most
// kWindowsTimer.
[[nodiscard]] std::chrono::seconds freeze_timer(const Policy& policy, std::optional<Millis> deadline, bool windows);

}  // namespace snapfreeze::freeze
