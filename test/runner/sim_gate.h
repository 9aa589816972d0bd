// A process that hangs: it makes no call, and no reply reaches it, until it goes on. Its requests under way are carried
// out, and time goes on without it, as when it was stopped by a signal or starved by its node.
#pragma once

#include "kube/api.h"
#include "test/cluster/sim_clock.h"

namespace runner {

class Gate {
 public:
  explicit Gate(cluster::Runtime& runtime) : runtime_(runtime) {}

  void close() {
    const cluster::Lock lock = runtime_.lock();
    closed_ = true;
  }
  void open() {
    const cluster::Lock lock = runtime_.lock();
    closed_ = false;
    runtime_.wake(opened_);
  }
  void pass() {
    cluster::Lock lock = runtime_.lock();
    runtime_.wait_until(lock, opened_, cluster::kNever, [this] { return !closed_; });
  }

 private:
  cluster::Runtime& runtime_;
  cluster::Signal opened_;
  bool closed_ = false;
};

class GatedClock : public snapfreeze::Clock {
 public:
  GatedClock(snapfreeze::Clock& clock, Gate& gate) : clock_(clock), gate_(gate) {}

  [[nodiscard]] snapfreeze::Wall wall() const override { return clock_.wall(); }
  [[nodiscard]] snapfreeze::Mono monotonic() const override { return clock_.monotonic(); }
  bool wait_until(snapfreeze::Mono deadline) override {
    const bool reached = clock_.wait_until(deadline);
    gate_.pass();
    return reached;
  }

 private:
  snapfreeze::Clock& clock_;
  Gate& gate_;
};

class GatedApi : public snapfreeze::kube::KubeApi {
 public:
  GatedApi(snapfreeze::kube::KubeApi& api, Gate& gate) : api_(api), gate_(gate) {}

  snapfreeze::Result<snapfreeze::kube::Response> call(const snapfreeze::kube::Request& request) override {
    gate_.pass();
    auto reply = api_.call(request);
    gate_.pass();
    return reply;
  }
  std::vector<snapfreeze::Result<snapfreeze::kube::Response>> call_all(
      std::span<const snapfreeze::kube::Request> requests) override {
    gate_.pass();
    auto replies = api_.call_all(requests);
    gate_.pass();
    return replies;
  }
  snapfreeze::Result<void> stream(const snapfreeze::kube::Request& request, snapfreeze::Millis idle,
                                  const snapfreeze::kube::LineSink& sink) override {
    gate_.pass();
    auto end = api_.stream(request, idle, [&](std::string_view line) {
      gate_.pass();
      return sink(line);
    });
    gate_.pass();
    return end;
  }

 private:
  snapfreeze::kube::KubeApi& api_;
  Gate& gate_;
};

}  // namespace runner
