#include "base/turns.h"

#include <algorithm>

namespace snapfreeze {

bool Turns::try_lock_until(Mono deadline) {
  std::unique_lock lock(mutex_);
  if (free_ > 0) {
    --free_;
    return true;
  }
  if (static_cast<int>(waiting_.size()) >= most_waiting_) return false;
  Waiting self;
  waiting_.push_back(&self);
  if (self.given.wait_until(lock, deadline, [&] { return self.has; })) return true;
  waiting_.erase(std::find(waiting_.begin(), waiting_.end(), &self));
  return false;
}

void Turns::unlock() {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) {
    ++free_;
    return;
  }
  Waiting& next = *waiting_.front();
  waiting_.pop_front();
  next.has = true;
  next.given.notify_one();  // under the lock: `next` is gone as soon as its thread sees that it has the turn
}

}  // namespace snapfreeze
