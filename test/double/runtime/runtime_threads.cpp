#include "test/double/runtime/runtime_threads.h"

#include <cstdio>
#include <cstdlib>
#include <exception>

namespace cluster {

struct ThreadRuntime::ThreadFiber : Fiber {
  using Fiber::Fiber;
  std::thread thread;
  Signal nap;
  Signal* waiting_on = nullptr;  // guarded by mutex_
};

namespace {

thread_local Fiber* current_thread_fiber = nullptr;

void throw_if_killed() {
  if (current_thread_fiber != nullptr && current_thread_fiber->killed && std::uncaught_exceptions() == 0)
    throw Killed{};
}

}  // namespace

bool ThreadRuntime::wait_until(Lock& lock, Signal& signal, Mono deadline, const std::function<bool()>& ready) {
  auto* self = static_cast<ThreadFiber*>(current_thread_fiber);
  if (self != nullptr) self->waiting_on = &signal;
  bool held = ready();
  while (!held && !(self != nullptr && self->killed) && now() < deadline) {
    signal.changed.wait_until(lock, deadline);
    held = ready();
  }
  if (self != nullptr) self->waiting_on = nullptr;
  throw_if_killed();
  return held;
}

void ThreadRuntime::sleep_until(Mono deadline) {
  auto* self = static_cast<ThreadFiber*>(current_thread_fiber);
  Signal own;
  Lock held = lock();
  wait_until(held, self != nullptr ? self->nap : own, deadline, [] { return false; });
}

void ThreadRuntime::join(const FiberRef& fiber) {
  Lock held = lock();
  wait_until(held, ended_, kNever, [&] { return fiber->done.load(); });
}

FiberRef ThreadRuntime::spawn(std::string name, std::function<void()> body) {
  auto fiber = std::make_shared<ThreadFiber>(std::move(name));
  const std::lock_guard<std::mutex> guard(fibers_mutex_);
  reap();
  if (stopping_) fiber->killed = true;
  fiber->thread = std::thread([this, fiber, run = std::move(body)]() mutable {
    current_thread_fiber = fiber.get();
    try {
      if (!fiber->killed) run();
    } catch (const Killed&) {
    } catch (const std::exception& error) {
      std::fprintf(stderr, "fiber %s threw: %s\n", fiber->name.c_str(), error.what());
      std::abort();
    }
    run = nullptr;
    current_thread_fiber = nullptr;
    const Lock held = lock();
    fiber->done = true;
    wake(ended_);
  });
  fibers_.push_back(fiber);
  return fiber;
}

void ThreadRuntime::kill(const FiberRef& fiber) {
  const Lock held = lock();
  fiber->killed = true;
  auto& victim = static_cast<ThreadFiber&>(*fiber);
  if (victim.waiting_on != nullptr) wake(*victim.waiting_on);
}

// A thread that has ended costs its stack until it is joined. Precondition: fibers_mutex_ is held.
void ThreadRuntime::reap() {
  std::erase_if(fibers_, [](const std::shared_ptr<ThreadFiber>& fiber) {
    if (!fiber->done) return false;
    fiber->thread.join();
    return true;
  });
}

void ThreadRuntime::stop() {
  std::vector<std::shared_ptr<ThreadFiber>> fibers;
  {
    const std::lock_guard<std::mutex> guard(fibers_mutex_);
    stopping_ = true;
    fibers.swap(fibers_);
  }
  for (const auto& fiber : fibers) kill(fiber);
  for (const auto& fiber : fibers) fiber->thread.join();
}

}  // namespace cluster
