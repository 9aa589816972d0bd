#include "test/double/runtime/runtime_sim.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>

namespace cluster {
namespace {

// 2026-11-23T13:17:00Z: some present; whole seconds, to which the seed adds a fraction.
constexpr std::chrono::seconds kEpoch{1795439820};

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "SimRuntime: %s\n", why.c_str());
  std::abort();
}

}  // namespace

// A thread, and the fiber it runs now. Threads are kept for later fibers: each API call is one.
struct SimRuntime::Worker {
  std::condition_variable turn;
  std::shared_ptr<SimFiber> fiber;
  std::thread thread;
};

struct SimRuntime::SimFiber : Fiber {
  using Fiber::Fiber;
  std::function<void()> body;
  Worker* worker = nullptr;
  Mono wake_at{};
  const Signal* waiting_on = nullptr;
  Signal ended;
  int times_thrown = 0;
};

namespace {
thread_local void* current_fiber = nullptr;
}

SimRuntime::SimRuntime(std::uint64_t seed)
    : Runtime(seed),
      now_(std::chrono::hours(1)),
      epoch_(kEpoch + Millis(seed * 137 % 1000)),
      start_(now_),
      order_(seed),
      main_(std::make_shared<SimFiber>("main")) {
  if (current_fiber != nullptr) give_up("a thread can have one at a time");
  workers_.push_back(std::make_unique<Worker>());
  main_->worker = workers_.back().get();
  fibers_.push_back(main_);
  running_ = main_.get();
  current_fiber = main_.get();
}

SimRuntime::~SimRuntime() {
  if (current_fiber != main_.get()) give_up("destroyed by another thread than its constructor's");
  const std::vector<std::shared_ptr<SimFiber>> fibers = fibers_;
  for (const auto& fiber : fibers) {
    if (fiber != main_) kill(fiber);
  }
  for (const auto& fiber : fibers) {
    if (fiber != main_) join(fiber);
  }
  {
    const std::lock_guard<std::mutex> guard(baton_);
    ending_ = true;
    for (const auto& worker : workers_) worker->turn.notify_all();
  }
  for (const auto& worker : workers_) {
    if (worker->thread.joinable()) worker->thread.join();
  }
  current_fiber = nullptr;
}

Mono SimRuntime::now() const {
  const std::lock_guard<std::mutex> guard(baton_);
  return now_;
}

Wall SimRuntime::wall() const {
  return epoch_ + std::chrono::duration_cast<Wall::duration>(now() - start_);
}

SimRuntime::SimFiber& SimRuntime::current() const {
  if (current_fiber == nullptr) throw std::logic_error("SimRuntime: used by a thread that is no fiber");
  return *static_cast<SimFiber*>(current_fiber);
}

void SimRuntime::throw_if_killed(SimFiber& self) {
  if (!self.killed || std::uncaught_exceptions() > 0) return;
  if (++self.times_thrown > 10'000) give_up("fiber " + self.name + " swallows its own death");
  throw Killed{};
}

// Precondition: baton_ is held.
SimRuntime::SimFiber* SimRuntime::pick() {
  Mono earliest = kNever;
  for (const auto& fiber : fibers_) earliest = std::min(earliest, fiber->wake_at);
  if (earliest >= kNever) {
    std::string names;
    for (const auto& fiber : fibers_) names += " " + fiber->name;
    give_up("every fiber waits for ever:" + names);
  }
  now_ = std::max(now_, earliest);
  std::vector<SimFiber*> runnable;
  for (const auto& fiber : fibers_) {
    if (fiber->wake_at <= now_) runnable.push_back(fiber.get());
  }
  return runnable[std::uniform_int_distribution<std::size_t>(0, runnable.size() - 1)(order_)];
}

void SimRuntime::pass_baton(SimFiber& next) {
  running_ = &next;
  next.worker->turn.notify_all();
}

void SimRuntime::block(SimFiber& self, Mono deadline, const Signal* signal) {
  throw_if_killed(self);
  if (self.killed) return;
  {
    std::unique_lock<std::mutex> guard(baton_);
    self.wake_at = deadline;
    self.waiting_on = signal;
    SimFiber* next = pick();
    if (next != &self) {
      pass_baton(*next);
      self.worker->turn.wait(guard, [&] { return running_ == &self; });
    }
    self.waiting_on = nullptr;
  }
  throw_if_killed(self);
}

void SimRuntime::sleep_until(Mono deadline) {
  block(current(), deadline, nullptr);
}

bool SimRuntime::wait_until(Lock& lock, Signal& signal, Mono deadline, const std::function<bool()>& ready) {
  SimFiber& self = current();
  while (!ready()) {
    if (now() >= deadline || (self.killed && std::uncaught_exceptions() > 0)) return false;
    lock.unlock();
    block(self, deadline, &signal);
    lock.lock();
  }
  throw_if_killed(self);
  return true;
}

void SimRuntime::join(const FiberRef& fiber) {
  SimFiber& self = current();
  auto& other = static_cast<SimFiber&>(*fiber);
  while (!other.done) block(self, kNever, &other.ended);
}

void SimRuntime::wake(Signal& signal) {
  const std::lock_guard<std::mutex> guard(baton_);
  for (const auto& fiber : fibers_) {
    if (fiber->waiting_on == &signal) fiber->wake_at = now_;
  }
}

void SimRuntime::kill(const FiberRef& fiber) {
  const std::lock_guard<std::mutex> guard(baton_);
  fiber->killed = true;
  static_cast<SimFiber&>(*fiber).wake_at = now_;
}

FiberRef SimRuntime::spawn(std::string name, std::function<void()> body) {
  auto fiber = std::make_shared<SimFiber>(std::move(name));
  fiber->body = std::move(body);
  const std::lock_guard<std::mutex> guard(baton_);
  fiber->wake_at = now_;
  if (idle_.empty()) {
    workers_.push_back(std::make_unique<Worker>());
    Worker* worker = workers_.back().get();
    worker->fiber = fiber;
    fiber->worker = worker;
    worker->thread = std::thread([this, worker] { run_worker(*worker); });
  } else {
    fiber->worker = idle_.back();
    idle_.pop_back();
    fiber->worker->fiber = fiber;
  }
  fibers_.push_back(fiber);
  return fiber;
}

void SimRuntime::run_worker(Worker& worker) {
  std::unique_lock<std::mutex> guard(baton_);
  while (true) {
    worker.turn.wait(guard, [&] { return ending_ || (worker.fiber && running_ == worker.fiber.get()); });
    if (ending_) return;
    const std::shared_ptr<SimFiber> fiber = worker.fiber;
    guard.unlock();
    current_fiber = fiber.get();
    try {
      if (!fiber->killed) fiber->body();
    } catch (const Killed&) {
    } catch (const std::exception& error) {
      give_up("fiber " + fiber->name + " threw: " + error.what());
    }
    fiber->body = nullptr;  // what it captured ends with it
    current_fiber = nullptr;
    guard.lock();
    fiber->done = true;
    std::erase(fibers_, fiber);
    for (const auto& other : fibers_) {
      if (other->waiting_on == &fiber->ended) other->wake_at = now_;
    }
    worker.fiber = nullptr;
    idle_.push_back(&worker);
    pass_baton(*pick());
  }
}

}  // namespace cluster
