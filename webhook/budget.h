// The time of one admission. The API server gives up at its own time-out; all we do has to fit in before.
#pragma once

#include <algorithm>
#include <string_view>

#include "base/clock.h"
#include "kube/rest.h"

namespace snapfreeze::webhook {

// What the API server gives a webhook that does not say `?timeout=`.
inline constexpr Millis kDefaultTimeout{10000};
// Sessions rely on it: see freeze/session.h, kLongestFreezing.
inline constexpr Millis kLongestAdmission{15000};
// For the way of the answer, and for a process that waits for a processor.
inline constexpr Millis kReserve{1000};
inline constexpr Millis kToCleanUp{5000};

// How long an admission may take from its arrival, by the query of its URL: the value of `timeout`, a Go duration, less
// the reserve (of a time-out below 2 s, half). A value that makes no sense counts as absent.
[[nodiscard]] Millis time_allowed(std::string_view query);

class Budget {
 public:
  Budget(Clock& clock, Mono deadline) : clock_(clock), deadline_(deadline) {}

  [[nodiscard]] Millis left() const {
    const auto left = std::chrono::floor<Millis>(deadline_ - clock_.monotonic());
    return std::max(left, Millis(0));
  }
  [[nodiscard]] bool used_up() const { return left() == Millis(0); }
  // For longer than an answer takes: the process was stopped, and the API server has given up on this admission.
  [[nodiscard]] bool overdue() const { return clock_.monotonic() > deadline_ + kReserve; }
  // To clean up: at least `least` from now on, and more for one that is overdue, for whom nobody waits.
  [[nodiscard]] Budget to_clean_up(Millis least = Millis(0)) const {
    const Millis wanted = overdue() ? kToCleanUp : least;
    return Budget(clock_, std::max(deadline_, clock_.monotonic() + wanted));
  }
  // For one call to the API server; never 0, which might be read as no bound.
  [[nodiscard]] Millis for_call() const { return std::max(std::min(kube::kCallTimeout, left()), Millis(1)); }

 private:
  Clock& clock_;
  const Mono deadline_;
};

// Waits between two looks at the same thing: 20 ms, 40 ms, … 200 ms.
class Backoff {
 public:
  // False: the budget does not reach to another look, or the process is asked to stop.
  bool wait(Clock& clock, const Budget& budget) {
    if (budget.left() <= delay_) return false;
    const Millis delay = delay_;
    delay_ = std::min(delay_ * 2, Millis(200));
    return clock.wait(delay);
  }

 private:
  Millis delay_{20};
};

}  // namespace snapfreeze::webhook
