// A thread for each task, kept for a while for the next one. A connection needs a thread of its own, and short
// connections come by the ten thousand.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.h"

namespace snapfreeze {

class ThreadPool {
 public:
  // Its threads are called "<name>-0", "<name>-1" …
  explicit ThreadPool(std::string name) : name_(std::move(name)) {}
  ~ThreadPool() { join(); }
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // False when the system has no thread to give, or after join(). How many there are is the caller's to bound. A task
  // throws nothing. One thread.
  bool run(std::function<void()> task);

  // Waits for the tasks, then for the threads.
  void join();

 private:
  static constexpr std::chrono::seconds kIdle{10};

  void work(std::list<std::jthread>::iterator self);

  const std::string name_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;  // guarded by mutex_, as all of the following
  std::size_t idle_ = 0;
  bool ending_ = false;
  std::list<std::jthread> threads_;
  std::list<std::jthread> ended_;  // to be joined, which they let us do at once
};

}  // namespace snapfreeze
