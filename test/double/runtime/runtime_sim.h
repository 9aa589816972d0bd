// Virtual time. Fibers of one thread, each with a stack of its own: one runs at a time, and when it blocks, the next is
// drawn (seeded) from those runnable at this instant; when none is, time jumps to the earliest deadline. Computing
// takes no time. One seed, one run: the same order, the same instants. A thread for each fiber would do as well, but to
// wake one takes longer than most fibers run.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "test/double/runtime/runtime.h"

namespace cluster {

class SimRuntime : public Runtime {
 public:
  // The thread that constructs it becomes the first fiber ("main"); only it may use and destroy this. What blocks in
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
  struct Stack;

  static std::vector<std::unique_ptr<Stack>>& free_stacks();
  void block(SimFiber& self, Mono deadline, const Signal* signal);
  SimFiber* pick();
  void switch_to(SimFiber& next);
  void begin(SimFiber& fiber);
  static void enter();
  void end(SimFiber& fiber);
  SimFiber& current() const;
  static void throw_if_killed(SimFiber& self);

  const std::thread::id thread_;
  Mono now_;
  const Wall epoch_;
  const Mono start_;
  SimFiber* running_ = nullptr;
  std::mt19937_64 order_;
  std::shared_ptr<SimFiber> main_;
  std::vector<std::shared_ptr<SimFiber>> fibers_;  // not yet ended
  std::shared_ptr<SimFiber> ended_;                // on whose stack we may still be
  std::vector<SimFiber*> runnable_;                // of pick(), kept for its memory
};

}  // namespace cluster
