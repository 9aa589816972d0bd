// A bounded pool of threads with a bounded queue.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace snapfreeze::edge {

// Names the calling thread ("http-loop") and leaves all signals to the main one.
void become_background_thread(const std::string& name);

class WorkerPool {
 public:
  WorkerPool(std::string name, int workers, int queue) : name_(std::move(name)), workers_(workers), queue_(queue) {}
  ~WorkerPool() { join(); }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False when all workers are busy and the queue is full, or after join(). A task throws nothing. One thread.
  bool submit(std::function<void()> task);

  // Finishes what was submitted, then ends the threads.
  void join();

 private:
  void work();

  const std::string name_;
  const int workers_;
  const int queue_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  int idle_ = 0;
  bool ending_ = false;
  std::vector<std::thread> threads_;  // grows in submit() only
};

}  // namespace snapfreeze::edge
