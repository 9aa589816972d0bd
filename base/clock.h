// The one seam to time. Logic reads clocks and sleeps only through this.
#pragma once

#include <chrono>

namespace snapfreeze {

using Millis = std::chrono::milliseconds;
using Mono = std::chrono::steady_clock::time_point;
using Wall = std::chrono::system_clock::time_point;

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // For logs and for fields that only inform. No decision rests on it: another machine's clock may be minutes off.
  [[nodiscard]] virtual Wall wall() const = 0;

  // For every time-out, deadline and duration.
  [[nodiscard]] virtual Mono monotonic() const = 0;

  // Returns true at `deadline`, false at once when the process is asked to stop.
  virtual bool wait_until(Mono deadline) = 0;

  bool wait(Millis duration) { return wait_until(monotonic() + duration); }
};

}  // namespace snapfreeze
