// A process that hangs: it makes no call, and no reply reaches it, until it goes on. Its requests under way are carried
// out, and time goes on without it, as when it was stopped by a signal or starved by its node.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "kube/api.h"
#include "test/double/runtime/sim_clock.h"

namespace runner {

class Gate {
 public:
  explicit Gate(cluster::Runtime& runtime) : runtime_(runtime) {}

  void close() {
    const cluster::Lock lock = runtime_.lock();
    ++closed_;
  }
  void open() {
    const cluster::Lock lock = runtime_.lock();
    --closed_;
    runtime_.wake(opened_);
  }
  // Closes just before the `nth` call from now on leaves, or when it has been carried out, for so long.
  void close_at_call(int nth, bool before, snapfreeze::Millis lasts) {
    const cluster::Lock lock = runtime_.lock();
    stops_.push_back({calls_ + nth, before, lasts});
  }
  // A call is about to leave, or was answered; returns its number.
  int leaves() {
    int number = 0;
    {
      const cluster::Lock lock = runtime_.lock();
      number = ++calls_;
    }
    stop_at(number, true);
    return number;
  }
  void answered(int number) { stop_at(number, false); }
  void pass() {
    cluster::Lock lock = runtime_.lock();
    runtime_.wait_until(lock, opened_, cluster::kNever, [this] { return closed_ == 0; });
  }

 private:
  struct Stop {
    int call;
    bool before;
    snapfreeze::Millis lasts;
  };

  void stop_at(int number, bool before) {
    std::optional<snapfreeze::Millis> lasts;
    {
      const cluster::Lock lock = runtime_.lock();
      const auto due = [&](const Stop& stop) { return stop.call == number && stop.before == before; };
      const auto found = std::find_if(stops_.begin(), stops_.end(), due);
      if (found == stops_.end()) return;
      lasts = found->lasts;
      stops_.erase(found);
    }
    close();
    runtime_.spawn("go on", [this, lasts] {
      runtime_.sleep_for(*lasts);
      open();
    });
  }

  cluster::Runtime& runtime_;
  cluster::Signal opened_;
  int closed_ = 0;  // so many reasons to wait
  int calls_ = 0;
  std::vector<Stop> stops_;
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
    const int number = gate_.leaves();
    gate_.pass();
    auto reply = api_.call(request);
    gate_.answered(number);
    gate_.pass();
    return reply;
  }
  std::vector<snapfreeze::Result<snapfreeze::kube::Response>> call_all(
      std::span<const snapfreeze::kube::Request> requests) override {
    std::vector<int> numbers;
    for (std::size_t i = 0; i < requests.size(); ++i) numbers.push_back(gate_.leaves());
    gate_.pass();
    auto replies = api_.call_all(requests);
    for (const int number : numbers) gate_.answered(number);
    gate_.pass();
    return replies;
  }
  snapfreeze::Result<void> stream(const snapfreeze::kube::Request& request, snapfreeze::Millis idle,
                                  const snapfreeze::kube::LineSink& sink) override {
    const int number = gate_.leaves();
    gate_.answered(number);  // a watch is answered by its lines
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
