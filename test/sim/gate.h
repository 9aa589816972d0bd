// Where a process of the simulation can be stopped: before and after each of its calls, whenever it wakes up, and
// whenever it looks at its clock; also between two calls that leave side by side, so that only the first one is made.
// Between two such steps nothing reaches out of it and no time goes by for it, so that
// a stop at each of them is a stop between any two instructions. A stopped process makes no call, and no reply reaches
// it, until it goes on; its requests under way are carried out, and time goes on without it, as when it was stopped by
// a signal or starved by its node.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kube/api.h"
#include "test/double/runtime/sim_clock.h"

namespace sim {

using snapfreeze::Millis;

// Thread-safe.
class Gate {
 public:
  enum class Where { kBeforeCall, kAfterCall, kAtStep };

  explicit Gate(cluster::Runtime& runtime);

  // Each close() is undone by one open().
  void close();
  void open();
  void close_for(Millis lasts);
  // At the `nth` call or step from now on, for so long. Steps are wake-ups and looks at the clock; calls are counted
  // apart.
  void close_at(Where where, int nth, Millis lasts);

  // Before the next call to a target that ends so, for so long at most: go_on() ends it.
  void close_before(const std::string& ending, Millis lasts);
  void go_on();

  // What close_at() and close_before() are yet to do is left undone.
  void disarm();

  // A call is about to leave; returns its number. Blocks while the gate is closed.
  int leaves(std::string_view target);
  // Between two calls that leave side by side: whether the process is stopped before the next one.
  bool stops_between(std::string_view next);
  // It was carried out, and nothing has reached the process of it. Does not block.
  void answered(int number);
  void step();
  void pass();

  [[nodiscard]] bool closed() const;
  [[nodiscard]] int steps() const;
  [[nodiscard]] int calls() const;

 private:
  void stop_at_barrier(std::string_view target);

  // Shared with the fibers that open it again: a killed process may be forgotten before.
  struct State;
  std::shared_ptr<State> state_;
};

class GatedClock : public snapfreeze::Clock {
 public:
  GatedClock(snapfreeze::Clock& clock, Gate& gate) : clock_(clock), gate_(gate) {}

  [[nodiscard]] snapfreeze::Wall wall() const override {
    gate_.step();
    return clock_.wall();
  }
  [[nodiscard]] snapfreeze::Mono monotonic() const override {
    gate_.step();
    return clock_.monotonic();
  }
  bool wait_until(snapfreeze::Mono deadline) override {
    const bool reached = clock_.wait_until(deadline);
    gate_.step();
    return reached;
  }

 private:
  snapfreeze::Clock& clock_;
  Gate& gate_;
};

class GatedApi : public snapfreeze::kube::KubeApi {
 public:
  GatedApi(snapfreeze::kube::KubeApi& api, Gate& gate) : api_(api), gate_(gate) {}

  snapfreeze::Result<snapfreeze::kube::Response> call(const snapfreeze::kube::Request& request) override;
  std::vector<snapfreeze::Result<snapfreeze::kube::Response>> call_all(
      std::span<const snapfreeze::kube::Request> requests) override;
  snapfreeze::Result<void> stream(const snapfreeze::kube::Request& request, Millis idle,
                                  const snapfreeze::kube::LineSink& sink) override;

 private:
  snapfreeze::kube::KubeApi& api_;
  Gate& gate_;
};

}  // namespace sim
