// So many at once and no more, in the order in which they came.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>

#include "base/clock.h"

namespace snapfreeze {

// Thread-safe. To be held by std::unique_lock, which takes a deadline.
class Turns {
 public:
  Turns(int at_once, int waiting) : free_(at_once), most_waiting_(waiting) {}
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;

  // False: as many wait already as may, or no turn came free until the deadline.
  bool try_lock_until(Mono deadline);
  void unlock();

 private:
  struct Waiting {
    std::condition_variable given;
    bool has = false;
  };

  std::mutex mutex_;
  int free_;
  const int most_waiting_;
  std::deque<Waiting*> waiting_;  // the longest first
};

}  // namespace snapfreeze
