#include "kube/server_time.h"

#include <algorithm>

namespace snapfreeze::kube {

void ServerTime::observe(const Response& response, Mono now) {
  if (!response.date) return;
  const Stamp stamp{*response.date, response.sent, now};
  const std::lock_guard lock(mutex_);
  if (!newest_ || stamp.sent >= newest_->sent) newest_ = stamp;
  const bool set_back = before_step_ && stamp.least(now) + kResolution < before_step_->least(now);
  if (!set_back || now - before_step_->received > kRemembered) before_step_ = stamp;
}

std::optional<Wall> ServerTime::upper_bound(Mono now) const {
  const std::lock_guard lock(mutex_);
  if (!newest_) return std::nullopt;
  return newest_->bound(now);
}

std::optional<Wall> ServerTime::bound_if_not_set_back(Mono now) const {
  const std::lock_guard lock(mutex_);
  if (!newest_) return std::nullopt;
  const bool set_back = newest_->bound(now) < before_step_->least(now);
  return set_back ? before_step_->bound(now) : newest_->bound(now);
}

Wall ServerTime::bound_for_age(Wall bound, Wall if_not_set_back, Wall stamped) {
  return if_not_set_back - stamped <= kRemembered ? std::max(bound, if_not_set_back) : bound;
}

std::optional<Wall> ServerTime::bound_for_age(Mono now, Wall stamped) const {
  const auto bound = upper_bound(now);
  return bound ? std::optional(bound_for_age(*bound, *bound_if_not_set_back(now), stamped)) : std::nullopt;
}

}  // namespace snapfreeze::kube
