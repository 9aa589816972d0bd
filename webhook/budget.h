// The time of one admission. The API server gives up at its own time-out, and everything we do must end before that.
#pragma once

#include <algorithm>
#include <string_view>

#include "base/clock.h"
#include "kube/rest.h"

namespace snapfreeze::webhook {

// The API server's time-out if the URL has no `?timeout=`.
inline constexpr Millis kDefaultTimeout{10000};
// Sessions rely on this bound: see kLongestFreezing in freeze/session.h.
inline constexpr Millis kLongestAdmission{15000};
// For the answer to travel, and for a process that waits for a processor.
inline constexpr Millis kReserve{1000};
inline constexpr Millis kToCleanUp{5000};

// How long an admission may take from its arrival, by the query of its URL: the value of `timeout`, a Go duration, less
// the reserve. Of a time-out below 2 s, half is kept in reserve. A value that makes no sense counts as absent.
[[nodiscard]] Millis time_allowed(std::string_view query);

class Budget {
 public:
  Budget(Clock& clock, Mono deadline) : clock_(clock), deadline_(deadline) {}

  [[nodiscard]] Millis left() const {
    const auto left = std::chrono::floor<Millis>(deadline_ - clock_.monotonic());
    return std::max(left, Millis(0));
  }
  [[nodiscard]] bool used_up() const { return left() == Millis(0); }
  // The deadline passed longer ago than an answer takes: the process was stopped, and the API server has given up.
  [[nodiscard]] bool overdue() const { return clock_.monotonic() > deadline_ + kReserve; }
  // To clean up: at least `least` from now on, and more for an overdue admission, since nobody waits for it.
  [[nodiscard]] Budget to_clean_up(Millis least = Millis(0)) const {
    const Millis wanted = overdue() ? kToCleanUp : least;
    return Budget(clock_, std::max(deadline_, clock_.monotonic() + wanted));
  }
  // This one, but `reserved` is left when it ends.
  [[nodiscard]] Budget less(Millis reserved) const { return Budget(clock_, deadline_ - reserved); }
  // For one call to the API server; never 0, which might be read as no bound.
  [[nodiscard]] Millis for_call() const { return std::max(std::min(kube::kCallTimeout, left()), Millis(1)); }

 private:
  Clock& clock_;
  const Mono deadline_;
};

// Waits before looking at the same thing again: 20 ms, 40 ms, … 200 ms, unless another pace is given.
class Backoff {
 public:
  explicit Backoff(Millis first = Millis(20), Millis longest = Millis(200)) : delay_(first), longest_(longest) {}

  // False: the budget does not last until another look, or the process is asked to stop.
  bool wait(Clock& clock, const Budget& budget) {
    if (budget.left() <= delay_) return false;
    const Millis delay = delay_;
    delay_ = std::min(delay_ * 2, longest_);
    return clock.wait(delay);
  }

 private:
  Millis delay_;
  Millis longest_;
};

}  // namespace snapfreeze::webhook
