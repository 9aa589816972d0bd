// The product's Clock on a runtime of the double, one a process.
#pragma once

#include "base/clock.h"
#include "test/double/runtime/runtime.h"

namespace cluster {

class SimClock : public snapfreeze::Clock {
 public:
  // `offset`: how far this machine's wall clock is off the cluster's.
  explicit SimClock(Runtime& runtime, std::chrono::milliseconds offset = {}) : runtime_(runtime), offset_(offset) {}

  [[nodiscard]] Wall wall() const override { return runtime_.wall() + offset_; }
  [[nodiscard]] Mono monotonic() const override { return runtime_.now(); }

  bool wait_until(Mono deadline) override {
    Lock lock = runtime_.lock();
    return !runtime_.wait_until(lock, stopped_, deadline, [this] { return stopping_; });
  }

  // As SIGTERM: every wait returns false from now on.
  void stop() {
    const Lock lock = runtime_.lock();
    stopping_ = true;
    runtime_.wake(stopped_);
  }

 private:
  Runtime& runtime_;
  const std::chrono::milliseconds offset_;
  Signal stopped_;
  bool stopping_ = false;
};

}  // namespace cluster
