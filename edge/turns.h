// So many at once and no more, in the order in which they came.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>

#include "base/clock.h"

namespace snapfreeze::edge {

// Thread-safe.
class Turns {
 public:
  Turns(int at_once, int waiting) : free_(at_once), most_waiting_(waiting) {}
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;

  // What is given must be given back. False: as many wait already as may, or none was given back until the deadline.
  bool take(Mono deadline);
  void give_back();

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

// One turn, for a scope.
class Turn {
 public:
  Turn(Turns& turns, Mono deadline) : turns_(turns), taken_(turns.take(deadline)) {}
  ~Turn() {
    if (taken_) turns_.give_back();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  [[nodiscard]] bool taken() const { return taken_; }

 private:
  Turns& turns_;
  const bool taken_;
};

}  // namespace snapfreeze::edge
