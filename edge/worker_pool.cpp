#include "edge/worker_pool.h"

#include <pthread.h>

#include <csignal>
#include <system_error>
#include <utility>

namespace snapfreeze::edge {

void become_background_thread(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
  // SIGPIPE too: OpenSSL writes without MSG_NOSIGNAL.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

bool WorkerPool::submit(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (ending_) return false;
  const int spare = idle_ - static_cast<int>(tasks_.size());
  const int running = static_cast<int>(threads_.size());
  if (spare <= 0 && running < workers_) {
    try {
      threads_.emplace_back([this, name = name_ + "-" + std::to_string(running)] {
        become_background_thread(name);
        work();
      });
    } catch (const std::system_error&) {
      // No thread to be had just now: those that run will do, if there are any.
      if (running == 0) return false;
    }
  } else if (spare <= -queue_) {
    return false;
  }
  tasks_.push_back(std::move(task));
  wake_.notify_one();
  return true;
}

void WorkerPool::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    wake_.wait(lock, [&] { return ending_ || !tasks_.empty(); });
    --idle_;
    if (tasks_.empty()) return;
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    task = nullptr;  // what it held is freed outside the lock
    lock.lock();
  }
}

void WorkerPool::join() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace snapfreeze::edge
