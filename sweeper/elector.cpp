#include "sweeper/elector.h"

#include "base/log.h"
#include "base/time.h"
#include "freeze/names.h"
#include "kube/paths.h"
#include "kube/rest.h"
#include "kube/views.h"

namespace snapfreeze::sweeper {
namespace {

Json metadata_for(const std::string& uid, const std::string& resource_version) {
  return Json::object({{"uid", uid}, {"resourceVersion", resource_version}});
}

}  // namespace

Elector::Elector(kube::KubeApi& api, Clock& clock, std::string own_namespace, std::string identity)
    : api_(api), clock_(clock), namespace_(std::move(own_namespace)), identity_(std::move(identity)) {}

Millis Elector::step() {
  const bool led = leading_;
  // A leader knows the Lease by its own last write. Others read it.
  if (leading_) {
    renew();
  } else {
    read();
  }
  if (leading_ && !leads_for(Millis(0))) stop_leading();
  if (led != leading_) {
    log::info(leading_ ? "leading" : "not leading any more", {{"name", identity_}});
  }
  return kRetryPeriod;
}

Mono Elector::leads_until() const {
  const Mono::rep sent = renewed_.load();
  return sent == kNever || resigned_ ? Mono::min() : Mono(Mono::duration(sent)) + kLeaseDuration;
}

bool Elector::leads_for(Millis duration) const {
  const Mono until = leads_until();
  if (until == Mono::min()) return false;
  const Mono now = clock_.monotonic();
  return now < until - kLeaseDuration + kRenewDeadline && now + duration < until;
}

void Elector::read() {
  const auto lease = kube::get(api_, kube::object_path(kube::kLeases, namespace_, freeze::kLeaderLease));
  const Mono now = clock_.monotonic();
  if (!lease) {
    if (lease.error().code == Code::kNotFound) {
      seen_.reset();
      create();
    }
    return;
  }
  see(*lease, now);
  // The holder may be us, by a write whose reply was lost. The Lease is taken over like any that is not held.
  const bool held = !seen_->holder.empty() && seen_->holder != identity_;
  if (!held || now >= seen_->at + kLeaseDuration) acquire();
}

void Elector::see(const Json& lease, Mono now) {
  const auto view = kube::LeaseView::from(lease);
  const bool same =
      seen_ && seen_->uid == view.metadata.uid && seen_->resource_version == view.metadata.resource_version;
  const Mono since = same ? seen_->at : now;
  seen_ = Seen{view.metadata.uid, view.metadata.resource_version, view.holder_identity, view.lease_transitions, since};
}

void Elector::create() {
  const Mono sent = clock_.monotonic();
  const std::string now = format_micro_time(clock_.wall());
  const Json lease = Json::object({
      {"apiVersion", kube::api_version(kube::kLeases)},
      {"kind", kube::kLeases.kind},
      {"metadata", Json::object({{"name", freeze::kLeaderLease}, {"namespace", namespace_}})},
      {"spec", Json::object({{"holderIdentity", identity_},
                             {"leaseDurationSeconds", std::int64_t{kLeaseDuration.count()}},
                             {"acquireTime", now},
                             {"renewTime", now},
                             {"leaseTransitions", 0}})},
  });
  const auto created = kube::create(api_, kube::collection_path(kube::kLeases, namespace_), lease);
  if (!created) return;
  see(*created, clock_.monotonic());
  lead_since(sent);
}

void Elector::acquire() {
  const Mono sent = clock_.monotonic();
  const std::string now = format_micro_time(clock_.wall());
  const bool another = seen_->holder != identity_;
  Json spec = Json::object({{"holderIdentity", identity_},
                            {"leaseDurationSeconds", std::int64_t{kLeaseDuration.count()}},
                            {"renewTime", now}});
  if (another) {
    spec.set("acquireTime", now);
    spec.set("leaseTransitions", seen_->transitions + 1);
  }
  (void)write(spec, sent);
}

void Elector::renew() {
  const Mono sent = clock_.monotonic();
  // Somebody may have taken the duration away, and without it no webhook believes that we live.
  const auto renewed = write(Json::object({{"renewTime", format_micro_time(clock_.wall())},
                                           {"leaseDurationSeconds", std::int64_t{kLeaseDuration.count()}}}),
                             sent);
  if (renewed) return;
  const Code code = renewed.error().code;
  if (code != Code::kConflict && code != Code::kNotFound) return;
  // Somebody wrote since, perhaps we ourselves with a write whose reply was lost.
  const auto lease = kube::get(api_, kube::object_path(kube::kLeases, namespace_, freeze::kLeaderLease));
  if (lease) see(*lease, clock_.monotonic());
  const bool gone = !lease && lease.error().code == Code::kNotFound;
  if (gone || (lease && seen_->holder != identity_)) stop_leading();
}

Result<void> Elector::write(const Json& spec, Mono sent) {
  const Json patch = Json::object({{"metadata", metadata_for(seen_->uid, seen_->resource_version)}, {"spec", spec}});
  const auto written =
      kube::merge_patch(api_, kube::object_path(kube::kLeases, namespace_, freeze::kLeaderLease), patch);
  if (!written) return written.error();
  see(*written, clock_.monotonic());
  lead_since(sent);
  return {};
}

void Elector::lead_since(Mono sent) {
  leading_ = true;
  renewed_ = sent.time_since_epoch().count();
}

void Elector::stop_leading() {
  leading_ = false;
  renewed_ = kNever;
}

void Elector::resign() {
  resigned_ = true;
}

void Elector::release() {
  if (!leading_) return;
  stop_leading();
  // As client-go does: nobody holds it, and the next one need not wait.
  (void)kube::merge_patch(
      api_, kube::object_path(kube::kLeases, namespace_, freeze::kLeaderLease),
      Json::object({{"metadata", metadata_for(seen_->uid, seen_->resource_version)},
                    {"spec", Json::object({{"holderIdentity", ""}, {"leaseDurationSeconds", 1}})}}));
}

}  // namespace snapfreeze::sweeper
