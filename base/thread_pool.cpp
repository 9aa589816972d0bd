#include "base/thread_pool.h"

#include <system_error>
#include <utility>

#include "base/thread.h"

namespace snapfreeze {

bool ThreadPool::run(std::function<void()> task) {
  std::list<std::jthread> ended;  // joined when this returns, outside the lock
  const std::lock_guard lock(mutex_);
  if (ending_) return false;
  ended.swap(ended_);
  if (idle_ <= tasks_.size()) {
    const auto self = threads_.emplace(threads_.end());
    try {
      *self = start_thread(name_ + "-" + std::to_string(threads_.size() - 1), [this, self] { work(self); });
    } catch (const std::system_error&) {
      threads_.erase(self);
      return false;
    }
  }
  tasks_.push_back(std::move(task));
  wake_.notify_one();
  return true;
}

void ThreadPool::work(std::list<std::jthread>::iterator self) {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    const bool woken = wake_.wait_for(lock, kIdle, [&] { return ending_ || !tasks_.empty(); });
    --idle_;
    if (tasks_.empty()) {
      if (!woken) ended_.splice(ended_.end(), threads_, self);
      return;
    }
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    task = nullptr;  // what it held is freed outside the lock
    lock.lock();
  }
}

void ThreadPool::join() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  // No thread moves itself away any more once it has seen the end; one that has not is waited for here too.
  std::list<std::jthread> last;
  {
    const std::lock_guard lock(mutex_);
    last.splice(last.end(), ended_);
  }
  for (std::jthread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  threads_.clear();
}

}  // namespace snapfreeze
