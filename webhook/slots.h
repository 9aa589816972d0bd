// A bound on how many admissions do the same thing at once.
#pragma once

#include <atomic>

namespace snapfreeze::webhook {

// Thread-safe, without a lock: a simulation may stop a caller anywhere.
class Slots {
 public:
  explicit Slots(int limit) : limit_(limit) {}

  // Holds a slot for its lifetime, if it got one.
  class Taken {
   public:
    explicit Taken(Slots& slots) : slots_(slots), got_(slots.taken_.fetch_add(1) < slots.limit_) {
      if (!got_) slots_.taken_.fetch_sub(1);
    }
    ~Taken() {
      if (got_) slots_.taken_.fetch_sub(1);
    }
    Taken(const Taken&) = delete;
    Taken& operator=(const Taken&) = delete;

    explicit operator bool() const { return got_; }

   private:
    Slots& slots_;
    const bool got_;
  };

 private:
  const int limit_;
  std::atomic<int> taken_{0};
};

}  // namespace snapfreeze::webhook
