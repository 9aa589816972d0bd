#include "webhook/liveness.h"

#include <algorithm>

#include "freeze/names.h"
#include "kube/paths.h"
#include "kube/rest.h"

namespace snapfreeze::webhook {
namespace {

// Whatever somebody writes into the Lease by hand, a leader that is silent for a minute is dead.
constexpr std::int64_t kLongestSilence = 60;

}  // namespace

void Liveness::observe(const Result<Json>& lease, Mono sent) {
  const std::lock_guard lock(mutex_);
  if (!lease) {
    if (lease.error().code != Code::kNotFound) return;
    record_.reset();
    until_ = Mono::min();
    return;
  }
  const Json& spec = (*lease)["spec"];
  Record record{spec["holderIdentity"].string(), spec["renewTime"].string(),
                spec["leaseTransitions"].integer().value_or(0)};
  if (record_ == record) return;
  record_ = std::move(record);
  const std::chrono::seconds duration(
      std::clamp(spec["leaseDurationSeconds"].integer().value_or(0), std::int64_t{0}, kLongestSilence));
  // A sweeper that was dead before the Lease was given back does not come alive by that.
  until_ = record_->holder.empty() ? std::min(until_, sent + kHandover) : sent + duration;
}

bool Liveness::alive(Mono now) const {
  const std::lock_guard lock(mutex_);
  return now < until_;
}

Result<Json> look_for_leader(kube::KubeApi& api, const Clock& clock, std::string_view own_namespace,
                             Liveness& liveness) {
  const std::string path = kube::object_path(kube::kLeases, own_namespace, freeze::kLeaderLease);
  const Mono sent = clock.monotonic();
  auto lease = kube::get(api, path, kLivenessInterval);
  liveness.observe(lease, sent);
  return lease;
}

}  // namespace snapfreeze::webhook
