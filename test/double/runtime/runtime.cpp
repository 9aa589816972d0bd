#include "test/double/runtime/runtime.h"

#include <algorithm>

namespace cluster {

std::uint64_t Runtime::random(std::uint64_t low, std::uint64_t high) {
  const std::lock_guard<std::mutex> guard(random_mutex_);
  return std::uniform_int_distribution<std::uint64_t>(low, high)(random_);
}

Millis Runtime::random(Millis low, Millis high) {
  if (high <= low) return low;
  return low + Millis(random(std::uint64_t{0}, static_cast<std::uint64_t>((high - low).count())));
}

Process::~Process() {
  kill();
  for (const FiberRef& fiber : fibers_) runtime_.join(fiber);
}

FiberRef Process::spawn(const std::string& name, std::function<void()> body) {
  const std::lock_guard<std::mutex> guard(mutex_);
  if (!alive_) return nullptr;
  std::erase_if(fibers_, [](const FiberRef& fiber) { return fiber->done.load(); });
  fibers_.push_back(runtime_.spawn(name_ + "/" + name, std::move(body)));
  return fibers_.back();
}

void Process::kill() {
  const std::lock_guard<std::mutex> guard(mutex_);
  alive_ = false;
  for (const FiberRef& fiber : fibers_) runtime_.kill(fiber);
}

}  // namespace cluster
