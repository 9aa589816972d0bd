// The machine's clocks, for tests with real threads.
#pragma once

#include <condition_variable>
#include <mutex>

#include "base/clock.h"

namespace snapfreeze::test {

// Thread-safe.
class RealClock : public Clock {
 public:
  [[nodiscard]] Wall wall() const override { return std::chrono::system_clock::now(); }
  [[nodiscard]] Mono monotonic() const override { return std::chrono::steady_clock::now(); }
  bool wait_until(Mono deadline) override {
    std::unique_lock lock(mutex_);
    return !changed_.wait_until(lock, deadline, [this] { return stopped_; });
  }
  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopped_ = false;
};

}  // namespace snapfreeze::test
