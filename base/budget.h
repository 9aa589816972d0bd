// So many bytes at once and no more. When they run short, whoever holds most gives up, and the smaller ones go on.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <list>
#include <mutex>

#include "base/clock.h"

namespace snapfreeze {

// Thread-safe.
class Budget {
  struct Holder {
    std::size_t bytes = 0;
    bool told = false;              // to give up
    std::function<void()> give_up;  // empty: it can no longer be told to
  };

 public:
  // A share of up to `always` can be had whatever the others hold, and never has to go.
  Budget(std::size_t bytes, std::size_t always) : bytes_(bytes), always_(always) {}

  // What one holder has. Used by one thread; gone before the budget is.
  class Share {
   public:
    // `give_up` tells the holder to let go of its share. It is called by any thread, at most once, under a lock.
    Share(Budget& budget, std::function<void()> give_up);
    ~Share();
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    // To so many bytes in all. False: it has to go, because it would hold most, was told to, or nobody else let go
    // within a second.
    [[nodiscard]] bool grow(std::size_t bytes);
    // Nobody tells it to give up from now on.
    void keep();

   private:
    Budget& budget_;
    const std::list<Holder>::iterator self_;
  };

 private:
  std::mutex mutex_;
  std::condition_variable freed_;  // or somebody was told to give up
  const std::size_t bytes_;
  const std::size_t always_;
  std::size_t held_ = 0;  // guarded by mutex_, as the following
  std::list<Holder> holders_;
};

}  // namespace snapfreeze
