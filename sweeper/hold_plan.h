// Whether one of the backups for which a guest is held still needs it. Pure.
#pragma once

#include "freeze/policy.h"
#include "sweeper/situation.h"

namespace snapfreeze::sweeper {

struct HoldPlan {
  bool done = false;        // nothing is left to wait for
  Mono wake = Mono::max();  // otherwise, when that may be so by time alone
};

// `index` is that of Situation::holds.
[[nodiscard]] HoldPlan plan_hold(const Situation& situation, std::size_t index, Mono now, const freeze::Policy& policy);

// All its snapshots have come.
[[nodiscard]] bool waits_for_cuts_only(const Situation& situation, std::size_t index);

}  // namespace snapfreeze::sweeper
