#include "test/double/runtime/runtime_sim.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>

#include "test/double/runtime/stack.h"

namespace cluster {
namespace {

// 2026-11-23T13:17:00Z: some present; whole seconds, to which the seed adds a fraction.
constexpr std::chrono::seconds kEpoch{1795439820};

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "SimRuntime: %s\n", why.c_str());
  std::abort();
}

}  // namespace

struct SimRuntime::SimFiber : Fiber {
  using Fiber::Fiber;
  std::function<void()> body;
  std::unique_ptr<Stack> stack;
  Mono wake_at{};
  const Signal* waiting_on = nullptr;
  Signal ended;
  int times_thrown = 0;
};

// Runs one fiber after the other.
struct SimRuntime::Stack : FiberStack {
  Stack() = default;
  explicit Stack(void (*entry)()) : FiberStack(entry) {}
};

namespace {
thread_local SimRuntime* current_runtime = nullptr;
}

// For later fibers, each API call is one, also of the thread's next runtime.
std::vector<std::unique_ptr<SimRuntime::Stack>>& SimRuntime::free_stacks() {
  thread_local std::vector<std::unique_ptr<Stack>> stacks;
  return stacks;
}

SimRuntime::SimRuntime(std::uint64_t seed)
    : Runtime(seed),
      thread_(std::this_thread::get_id()),
      now_(std::chrono::hours(1)),
      epoch_(kEpoch + Millis(seed * 137 % 1000)),
      start_(now_),
      order_(seed),
      main_(std::make_shared<SimFiber>("main")) {
  if (current_runtime != nullptr) give_up("a thread can have one at a time");
  main_->stack = std::make_unique<Stack>();
  fibers_.push_back(main_);
  running_ = main_.get();
  current_runtime = this;
}

SimRuntime::~SimRuntime() {
  if (current_runtime != this || running_ != main_.get()) give_up("destroyed by another than its constructor's");
  const std::vector<std::shared_ptr<SimFiber>> fibers = fibers_;
  for (const auto& fiber : fibers) {
    if (fiber != main_) kill(fiber);
  }
  for (const auto& fiber : fibers) {
    if (fiber != main_) join(fiber);
  }
  current_runtime = nullptr;
}

Mono SimRuntime::now() const {
  return now_;
}

Wall SimRuntime::wall() const {
  return epoch_ + std::chrono::duration_cast<Wall::duration>(now() - start_);
}

SimRuntime::SimFiber& SimRuntime::current() const {
  if (std::this_thread::get_id() != thread_) throw std::logic_error("SimRuntime: used by a thread that is no fiber");
  return *running_;
}

void SimRuntime::throw_if_killed(SimFiber& self) {
  if (!self.killed || std::uncaught_exceptions() > 0) return;
  if (++self.times_thrown > 10'000) give_up("fiber " + self.name + " swallows its own death");
  throw Killed{};
}

SimRuntime::SimFiber* SimRuntime::pick() {
  Mono earliest = kNever;
  for (const auto& fiber : fibers_) earliest = std::min(earliest, fiber->wake_at);
  if (earliest >= kNever) {
    std::string names;
    for (const auto& fiber : fibers_) names += " " + fiber->name;
    give_up("every fiber waits for ever:" + names);
  }
  now_ = std::max(now_, earliest);
  runnable_.clear();
  for (const auto& fiber : fibers_) {
    if (fiber->wake_at <= now_) runnable_.push_back(fiber.get());
  }
  return runnable_[std::uniform_int_distribution<std::size_t>(0, runnable_.size() - 1)(order_)];
}

void SimRuntime::switch_to(SimFiber& next) {
  SimFiber& self = *running_;
  running_ = &next;
  if (&next == &self) return;
  self.stack->switch_to(*next.stack);
  ended_ = nullptr;
}

void SimRuntime::block(SimFiber& self, Mono deadline, const Signal* signal) {
  throw_if_killed(self);
  if (self.killed) return;
  self.wake_at = deadline;
  self.waiting_on = signal;
  switch_to(*pick());
  self.waiting_on = nullptr;
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
  for (const auto& fiber : fibers_) {
    if (fiber->waiting_on == &signal) fiber->wake_at = now_;
  }
}

void SimRuntime::kill(const FiberRef& fiber) {
  fiber->killed = true;
  static_cast<SimFiber&>(*fiber).wake_at = now_;
}

FiberRef SimRuntime::spawn(std::string name, std::function<void()> body) {
  auto fiber = std::make_shared<SimFiber>(std::move(name));
  fiber->body = std::move(body);
  fiber->wake_at = now_;
  if (auto& free = free_stacks(); free.empty()) {
    fiber->stack = std::make_unique<Stack>(&SimRuntime::enter);
  } else {
    fiber->stack = std::move(free.back());
    free.pop_back();
  }
  fibers_.push_back(fiber);
  return fiber;
}

// On each new stack, for all fibers that ever run on it.
void SimRuntime::enter() {
  FiberStack::entered();
  while (true) {
    SimRuntime& runtime = *current_runtime;
    runtime.ended_ = nullptr;
    runtime.begin(*runtime.running_);
    runtime.end(*runtime.running_);
  }
}

void SimRuntime::begin(SimFiber& fiber) {
  try {
    if (!fiber.killed) fiber.body();
  } catch (const Killed&) {
  } catch (const std::exception& error) {
    give_up("fiber " + fiber.name + " threw: " + error.what());
  }
  fiber.body = nullptr;  // what it captured ends with it
}

// Returns when another fiber begins on the same stack.
void SimRuntime::end(SimFiber& fiber) {
  fiber.done = true;
  const auto own = std::find_if(fibers_.begin(), fibers_.end(), [&](const auto& one) { return one.get() == &fiber; });
  ended_ = *own;
  fibers_.erase(own);
  for (const auto& other : fibers_) {
    if (other->waiting_on == &fiber.ended) other->wake_at = now_;
  }
  Stack& stack = *fiber.stack;
  SimFiber* const next = pick();
  free_stacks().push_back(std::move(fiber.stack));
  running_ = next;
  stack.switch_to(*next->stack);
}

}  // namespace cluster
