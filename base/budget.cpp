#include "base/budget.h"

#include <utility>

namespace snapfreeze {
namespace {

constexpr Millis kFreeing{1000};  // that one who was told may take

}  // namespace

Budget::Share::Share(Budget& budget, std::function<void()> give_up)
    : budget_(budget), self_([&] {
        const std::lock_guard lock(budget.mutex_);
        return budget.holders_.insert(budget.holders_.end(), {0, false, std::move(give_up)});
      }()) {}

Budget::Share::~Share() {
  {
    const std::lock_guard lock(budget_.mutex_);
    budget_.held_ -= self_->bytes;
    budget_.holders_.erase(self_);
  }
  budget_.freed_.notify_all();
}

bool Budget::Share::grow(std::size_t bytes) {
  std::unique_lock lock(budget_.mutex_);
  const auto fits = [&] { return bytes <= budget_.always_ || budget_.held_ - self_->bytes + bytes <= budget_.bytes_; };
  while (!self_->told && !fits()) {
    Holder* greediest = nullptr;
    std::size_t most = bytes;
    for (Holder& each : budget_.holders_) {
      if (!each.give_up || each.bytes <= most) continue;
      most = each.bytes;
      greediest = &each;
    }
    if (greediest == nullptr) return false;
    if (!std::exchange(greediest->told, true)) greediest->give_up();
    budget_.freed_.notify_all();
    if (!budget_.freed_.wait_for(lock, kFreeing, [&] { return fits() || self_->told; })) return false;
  }
  if (self_->told) return false;
  budget_.held_ += bytes - self_->bytes;
  self_->bytes = bytes;
  return true;
}

void Budget::Share::keep() {
  const std::lock_guard lock(budget_.mutex_);
  self_->give_up = nullptr;
}

}  // namespace snapfreeze
