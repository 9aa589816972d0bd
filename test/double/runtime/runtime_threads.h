// Real time and real threads, joined at the end: what the sandbox runs on.
#pragma once

#include <thread>
#include <vector>

#include "test/double/runtime/runtime.h"

namespace cluster {

// Threads it did not spawn may use it too; they cannot be killed.
class ThreadRuntime : public Runtime {
 public:
  explicit ThreadRuntime(std::uint64_t seed = 1) : Runtime(seed) {}
  ~ThreadRuntime() override { stop(); }

  // Kills all fibers and joins them. A fiber that blocks outside of this runtime (in a socket) must be unblocked first.
  void stop();

  [[nodiscard]] Mono now() const override { return std::chrono::steady_clock::now(); }
  [[nodiscard]] Wall wall() const override { return std::chrono::system_clock::now(); }
  void sleep_until(Mono deadline) override;
  bool wait_until(Lock& lock, Signal& signal, Mono deadline, const std::function<bool()>& ready) override;
  void join(const FiberRef& fiber) override;
  void wake(Signal& signal) override { signal.changed.notify_all(); }
  FiberRef spawn(std::string name, std::function<void()> body) override;
  void kill(const FiberRef& fiber) override;

 private:
  struct ThreadFiber;
  void reap();

  Signal ended_;
  std::mutex fibers_mutex_;
  bool stopping_ = false;
  std::vector<std::shared_ptr<ThreadFiber>> fibers_;
};

}  // namespace cluster
