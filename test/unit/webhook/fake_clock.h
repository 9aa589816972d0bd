// Time that passes only when somebody waits, and what happens meanwhile.
#pragma once

#include <functional>
#include <map>

#include "base/clock.h"

namespace snapfreeze::test {

class FakeClock : public Clock {
 public:
  [[nodiscard]] Wall wall() const override { return Wall(std::chrono::hours(24 * 365 * 56)) + now_.time_since_epoch(); }
  [[nodiscard]] Mono monotonic() const override { return now_; }

  bool wait_until(Mono deadline) override {
    if (stopping) return false;
    while (!agenda_.empty() && agenda_.begin()->first <= deadline) {
      const auto [when, what] = *agenda_.begin();
      agenda_.erase(agenda_.begin());
      now_ = std::max(now_, when);
      what();
    }
    now_ = std::max(now_, deadline);
    return true;
  }

  void after(Millis delay, std::function<void()> what) { agenda_.emplace(now_ + delay, std::move(what)); }

  bool stopping = false;

 private:
  Mono now_{std::chrono::hours(1)};
  std::multimap<Mono, std::function<void()>> agenda_;
};

}  // namespace snapfreeze::test
