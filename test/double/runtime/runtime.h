// The double's seam to time and concurrency. Everything in this folder is plain blocking code on top of it: with real
// threads (ThreadRuntime) or in virtual time, one fiber at a time in a seeded order (SimRuntime).
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "base/clock.h"

namespace cluster {

using snapfreeze::Millis;
using snapfreeze::Mono;
using snapfreeze::Wall;
using Lock = std::unique_lock<std::mutex>;

// Far enough to mean never, near enough that adding to it does not overflow.
inline constexpr Mono kNever{std::chrono::hours{24 * 365 * 100}};

// Thrown at a blocking point of a killed fiber and caught at the fiber's top. Derived from nothing, so that
// `catch (const std::exception&)` does not survive kill -9.
struct Killed {};

// What a fiber waits for besides time. Used with the runtime's own mutex only.
struct Signal {
  std::condition_variable changed;
};

struct Fiber {
  explicit Fiber(std::string fiber_name) : name(std::move(fiber_name)) {}
  virtual ~Fiber() = default;
  const std::string name;
  std::atomic<bool> killed{false};
  std::atomic<bool> done{false};
};
using FiberRef = std::shared_ptr<Fiber>;

// Thread-safe. One mutex guards the whole double: hold it for short, and never across a blocking point other than
// wait_until, which releases it.
class Runtime {
 public:
  explicit Runtime(std::uint64_t seed) : random_(seed) {}
  virtual ~Runtime() = default;
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  [[nodiscard]] virtual Mono now() const = 0;
  [[nodiscard]] virtual Wall wall() const = 0;  // the cluster's clock, that of the API server

  // Blocking points. They throw Killed in a fiber that was killed (but never while its stack unwinds: then they
  // return).
  virtual void sleep_until(Mono deadline) = 0;
  // Until `ready` holds (asked with the lock held, after each wake of `signal`) or the deadline; returns ready().
  virtual bool wait_until(Lock& lock, Signal& signal, Mono deadline, const std::function<bool()>& ready) = 0;
  // Returns when the fiber has ended.
  virtual void join(const FiberRef& fiber) = 0;

  virtual void wake(Signal& signal) = 0;
  virtual FiberRef spawn(std::string name, std::function<void()> body) = 0;
  // The fiber ends at its next blocking point, or at the one it is in; may be called from itself.
  virtual void kill(const FiberRef& fiber) = 0;

  void sleep_for(std::chrono::nanoseconds duration) { sleep_until(now() + duration); }
  [[nodiscard]] Lock lock() { return Lock(mutex_); }
  // Uniform in [low, high], seeded.
  [[nodiscard]] std::uint64_t random(std::uint64_t low, std::uint64_t high);
  [[nodiscard]] Millis random(Millis low, Millis high);

 protected:
  std::mutex mutex_;

 private:
  std::mutex random_mutex_;
  std::mt19937_64 random_;
};

// The fibers of one program, so that kill -9 takes them together. Thread-safe.
class Process {
 public:
  Process(Runtime& runtime, std::string name) : runtime_(runtime), name_(std::move(name)) {}
  ~Process();  // kills, and waits until all fibers have ended
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // nullptr when the process is dead: what would have run does not.
  FiberRef spawn(const std::string& name, std::function<void()> body);
  void kill();
  [[nodiscard]] bool alive() const { return alive_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Runtime& runtime() const { return runtime_; }

 private:
  Runtime& runtime_;
  const std::string name_;
  std::atomic<bool> alive_{true};
  std::mutex mutex_;
  std::vector<FiberRef> fibers_;
};

}  // namespace cluster
