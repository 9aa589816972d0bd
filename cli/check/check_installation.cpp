#include "cli/check/check_installation.h"

#include <algorithm>

#include "base/time.h"
#include "certs/authority.h"
#include "certs/certificates.h"
#include "certs/trust.h"
#include "freeze/names.h"
#include "kube/views.h"

namespace snapfreeze::cli {
namespace {

using Level = Finding::Level;

constexpr std::chrono::hours kSoon{72};
constexpr int kLeastTimeout = 5;

bool not_found(const Error& error) {
  return error.code == Code::kNotFound;
}

Finding unknown(std::string about, const Error& error) {
  return {Level::kUnknown, std::move(about), "not known: " + error.message, ""};
}

bool asks_for_snapshots(const Json& webhook) {
  return std::any_of(webhook["rules"].items().begin(), webhook["rules"].items().end(), [](const Json& rule) {
    const auto& resources = rule["resources"].items();
    return std::any_of(resources.begin(), resources.end(),
                       [](const Json& resource) { return resource.string() == "volumesnapshots"; });
  });
}

Finding check_registered(const CheckFacts& facts) {
  const std::string about = "webhook";
  if (!facts.registration) {
    if (!not_found(facts.registration.error())) return unknown(about, facts.registration.error());
    return {Level::kError, about, "is not registered: no MutatingWebhookConfiguration snapfreeze",
            "install the chart; until then backups go on without a freeze"};
  }
  const auto& webhooks = (*facts.registration)["webhooks"].items();
  if (webhooks.empty()) return {Level::kError, about, "is registered, but empty", "install the chart again"};
  for (const Json& webhook : webhooks) {
    const std::string name = webhook["name"].string();
    if (webhook["failurePolicy"].string() != "Ignore") {
      return {Level::kError, about, name + ": failurePolicy is not Ignore, so a failure of ours would block backups",
              "set it to Ignore"};
    }
    if (!asks_for_snapshots(webhook)) {
      return {Level::kError, about, name + ": not asked about volumesnapshots", "install the chart again"};
    }
    if (webhook["timeoutSeconds"].integer().value_or(10) < kLeastTimeout) {
      return {Level::kWarning, about, name + ": timeoutSeconds is below 5, too little for a guest that freezes slowly",
              "raise it to 15"};
    }
  }
  return {Level::kGood, about, "registered, in namespace " + facts.home.namespace_};
}

// What an API server would say to the certificate.
Finding check_certificate(const std::string& about, const std::string& leaf, const certs::Registration& registration,
                          Wall now) {
  const std::string remedy = "the leading sweeper repairs it within half a minute; if not, look at its log";
  for (const auto& webhook : registration.webhooks) {
    if (webhook.bundle.empty()) {
      return {Level::kError, about, webhook.name + ": caBundle is empty, so no API server trusts it", remedy};
    }
    const auto accepted = certs::check_trusted(leaf, webhook.bundle, webhook.host, now);
    if (!accepted) return {Level::kError, about, webhook.name + ": " + accepted.error().message, remedy};
  }
  const auto info = certs::inspect(leaf);
  if (!info) return {Level::kError, about, info.error().message, remedy};
  const std::string until = "until " + format_time(info->not_after);
  if (info->not_after <= now) return {Level::kError, about, "expired: " + until, remedy};
  if (info->not_after <= now + kSoon) return {Level::kWarning, about, "expires soon: " + until, remedy};
  return {Level::kGood, about, "trusted by the API server, " + until};
}

void check_trust(const CheckFacts& facts, std::vector<Finding>& findings) {
  if (!facts.registration) return;
  const std::string about = "caBundle";
  kube::Response reply{200, facts.registration->dump(), std::nullopt, Mono{}};
  const auto registration = certs::registration_of(reply, kRegistrationName);
  if (!registration) return findings.push_back({Level::kError, about, registration.error().message});
  if (facts.serving_secret) {
    reply.body = facts.serving_secret->dump();
    const auto secret = certs::secret_of(reply, facts.home.namespace_, "");
    const std::string leaf = secret ? secret->entry(certs::kCertificateEntry) : "";
    findings.push_back(check_certificate(about + " and the stored certificate", leaf, *registration, facts.now));
  } else if (not_found(facts.serving_secret.error())) {
    findings.push_back({Level::kWarning, about, "there is no Secret snapfreeze-tls to compare it with",
                        "the sweeper makes it within half a minute, unless certificates come from elsewhere"});
  } else {
    findings.push_back(unknown(about, facts.serving_secret.error()));
  }
  if (!facts.served) return;
  const std::string served = about + " and the served certificate";
  if (*facts.served) {
    findings.push_back(check_certificate(served, **facts.served, *registration, facts.now));
  } else {
    findings.push_back({Level::kError, served, facts.served->error().message, "look at the webhook's pods"});
  }
}

Finding check_leader(const CheckFacts& facts) {
  const std::string about = "sweeper";
  const std::string remedy = "look at the sweeper's pods and log; until one leads, backups are crash: no-sweeper";
  const auto& last = facts.leader.second ? *facts.leader.second : facts.leader.first;
  if (!last) {
    if (!not_found(last.error())) return unknown(about, last.error());
    return {Level::kError, about, "none has ever led in namespace " + facts.home.namespace_, remedy};
  }
  const auto lease = kube::LeaseView::from(*last);
  if (lease.holder_identity.empty()) return {Level::kError, about, "none leads", remedy};
  if (!leader_is_doubtful(last, facts.now)) return {Level::kGood, about, lease.holder_identity + " leads"};
  // By our own clock, as client-go judges it.
  const auto& first = facts.leader.first;
  const bool renewed = facts.leader.second && first && kube::LeaseView::from(*first).renew_time != lease.renew_time;
  if (renewed) {
    return {Level::kWarning, about, lease.holder_identity + " leads, but its machine's clock is not the API server's",
            "synchronise the nodes' clocks"};
  }
  const std::string since = lease.renew_time ? format_time(*lease.renew_time) : "never";
  return {Level::kError, about, lease.holder_identity + " led, but has not renewed its Lease since " + since, remedy};
}

}  // namespace

bool leader_is_doubtful(const Result<Json>& lease, Wall now) {
  if (!lease) return false;
  const auto view = kube::LeaseView::from(*lease);
  if (view.holder_identity.empty()) return false;
  const std::chrono::seconds lasts(view.lease_duration_seconds);
  return !view.renew_time || now - *view.renew_time > lasts || *view.renew_time - now > lasts;
}

std::vector<Finding> check_installation(const CheckFacts& facts) {
  std::vector<Finding> findings{check_registered(facts)};
  check_trust(facts, findings);
  findings.push_back(check_leader(facts));
  return findings;
}

Finding check_dry_run(const Result<Json>& reply) {
  const std::string about = "admission";
  if (!reply) {
    if (reply.error().code == Code::kForbidden) return unknown(about, reply.error());
    if (not_found(reply.error())) {
      return {Level::kError, about, "there are no VolumeSnapshots: " + reply.error().message,
              "install the CSI snapshot CRDs"};
    }
    return {Level::kError, about, "a dry-run VolumeSnapshot was refused: " + reply.error().message,
            "find out who refuses it: without it no backup is possible"};
  }
  const auto metadata = kube::Metadata::from(*reply);
  if (metadata.annotation(freeze::kReason) == freeze::reason::kDryRun) {
    return {Level::kGood, about, "a dry-run VolumeSnapshot came back with the webhook's mark"};
  }
  return {Level::kError, about, "a dry-run VolumeSnapshot came back without the webhook's mark",
          "the API server does not reach the webhook, or does not trust it, or the namespace has opted out"};
}

}  // namespace snapfreeze::cli
