#include "webhook/liveness.h"

#include <algorithm>

namespace snapfreeze::webhook {
namespace {

// Whatever was written there by hand: a minute of silence is no life.
constexpr std::int64_t kLongestSilence = 60;

}  // namespace

void Liveness::observe(const Result<Json>& lease, Mono sent) {
  const std::lock_guard lock(mutex_);
  if (!lease) {
    if (lease.error().code == Code::kNotFound) record_.reset();
    return;
  }
  const Json& spec = (*lease)["spec"];
  Record record{spec["holderIdentity"].string(), spec["renewTime"].string(),
                spec["leaseTransitions"].integer().value_or(0)};
  if (record_ == record) return;
  const bool given_back = record.holder.empty();
  const bool was_held = record_ && !record_->holder.empty();
  record_ = std::move(record);
  if (given_back) {
    until_ = std::min(until_, was_held ? sent + kHandover : sent);
    return;
  }
  until_ = sent + std::chrono::seconds(
                      std::clamp(spec["leaseDurationSeconds"].integer().value_or(0), std::int64_t{0}, kLongestSilence));
}

bool Liveness::alive(Mono now) const {
  const std::lock_guard lock(mutex_);
  return record_ && now < until_;
}

}  // namespace snapfreeze::webhook
