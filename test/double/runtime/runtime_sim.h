// Virtual time. Each fiber has a thread of its own, but one at a time holds the baton: when it blocks, the next is
// drawn (seeded) from those runnable at this instant; when none is, time jumps to the earliest deadline. Computing
// takes no time. One seed, one run: the same order, the same instants.
#pragma once

#include <list>
#include <thread>

#include "test/double/runtime/runtime.h"

namespace cluster {

class SimRuntime : public Runtime {
 public:
  // The thread that constructs it becomes the first fiber ("main") and must be the one that destroys it. What blocks in
  // it lets the others run, so that a test is written top down: call, sleep_for, look.
  explicit SimRuntime(std::uint64_t seed = 1);
  ~SimRuntime() override;  // kills and ends all fibers

  [[nodiscard]] Mono now() const override;
  [[nodiscard]] Wall wall() const override;
  void sleep_until(Mono deadline) override;
  bool wait_until(Lock& lock, Signal& signal, Mono deadline, const std::function<bool()>& ready) override;
  void join(const FiberRef& fiber) override;
  void wake(Signal& signal) override;
  FiberRef spawn(std::string name, std::function<void()> body) override;
  void kill(const FiberRef& fiber) override;

 private:
  struct SimFiber;
  struct Worker;

  void block(SimFiber& self, Mono deadline, const Signal* signal);
  SimFiber* pick();
  void pass_baton(SimFiber& next);
  void run_worker(Worker& worker);
  SimFiber& current() const;
  static void throw_if_killed(SimFiber& self);

  mutable std::mutex baton_;
  Mono now_;
  const Wall epoch_;
  const Mono start_;
  SimFiber* running_ = nullptr;
  std::mt19937_64 order_;
  std::shared_ptr<SimFiber> main_;
  std::vector<std::shared_ptr<SimFiber>> fibers_;  // not yet ended
  std::list<std::unique_ptr<Worker>> workers_;
  std::vector<Worker*> idle_;
  bool ending_ = false;
};

}  // namespace cluster
