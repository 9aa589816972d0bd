#include "kube/server_time.h"

namespace snapfreeze::kube {

void ServerTime::observe(const Response& response) {
  if (!response.date) return;
  const std::lock_guard lock(mutex_);
  if (newest_ && response.sent < newest_->sent) return;
  newest_ = Stamp{*response.date, response.sent};
}

std::optional<Wall> ServerTime::upper_bound(Mono now) const {
  const std::lock_guard lock(mutex_);
  if (!newest_) return std::nullopt;
  return newest_->date + std::chrono::seconds(1) + (now - newest_->sent);
}

}  // namespace snapfreeze::kube
