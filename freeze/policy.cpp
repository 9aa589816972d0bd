#include "freeze/policy.h"

#include <algorithm>

namespace snapfreeze::freeze {

std::chrono::seconds freeze_timer(const Policy& policy, std::optional<Millis> deadline, bool windows) {
  auto timer = policy.default_timer;
  if (deadline && deadline->count() > 0) timer = std::chrono::duration_cast<std::chrono::seconds>(*deadline);
  timer = std::max(std::min(timer, policy.max_timer), kMinTimer);
  return windows ? std::min(timer, kWindowsTimer) : timer;
}

}  // namespace snapfreeze::freeze
