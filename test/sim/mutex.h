// What a std::mutex is to the threads of a program, for the fibers of a simulated process: one that is stopped while it
// holds it keeps the others out.
#pragma once

#include "test/double/runtime/runtime.h"

namespace sim {

// To be used with std::lock_guard, without the runtime's lock.
class Mutex {
 public:
  explicit Mutex(cluster::Runtime& runtime) : runtime_(runtime) {}

  void lock() {
    cluster::Lock lock = runtime_.lock();
    runtime_.wait_until(lock, freed_, cluster::kNever, [this] { return !held_; });
    held_ = true;
  }
  void unlock() {
    const cluster::Lock lock = runtime_.lock();
    held_ = false;
    runtime_.wake(freed_);
  }

 private:
  cluster::Runtime& runtime_;
  cluster::Signal freed_;
  bool held_ = false;
};

}  // namespace sim
