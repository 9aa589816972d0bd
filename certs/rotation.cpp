#include "certs/rotation.h"

#include <algorithm>

#include "certs/bundle.h"
#include "certs/key_pair.h"

namespace snapfreeze::certs {
namespace {

using Step = RotationPlan::Step;

constexpr char kCaName[] = "snapfreeze-ca@";
// Beyond the last second of the last leaf: for a CA that was replaced while another process was issuing.
constexpr std::chrono::hours kAfterTheLastLeaf{1};

std::vector<std::string> certificates_of(const std::string& pem) {
  auto certificates = split_bundle(pem);
  return certificates ? std::move(certificates).value() : std::vector<std::string>{};
}

Wall renewal(const CertificateInfo& info) {
  return info.not_before + (info.not_after - info.not_before) * 2 / 3;
}

// Why it can no longer sign; "" when it can.
std::string why_new_ca(const PemPair& ca, Wall now) {
  if (ca.certificate.empty()) return "there is none";
  const auto info = inspect(ca.certificate);
  if (!info) return info.error().message;
  if (!info->is_ca) return "the certificate is not a CA's";
  if (const auto good = check_key(ca.certificate, ca.key); !good) return good.error().message;
  if (now < info->not_before) return "it is not valid yet";
  if (now >= renewal(*info)) return "it is past two thirds of its life";
  return "";
}

// Why the leaf can no longer be served; "" when it can.
std::string why_new_leaf(const RotationState& state, const RotationRules& rules, Wall now) {
  if (state.serving.certificate.empty()) return "there is none";
  const auto pair = KeyPair::parse(state.serving.certificate, state.serving.key);
  if (!pair) return pair.error().message;
  const CertificateInfo& info = (*pair)->info();
  if (now < info.not_before) return "it is not valid yet";
  if (now >= info.not_after) return "it has expired";
  const auto serves = [&](const std::string& name) { return (*pair)->serves(name); };
  if (!std::all_of(rules.names.dns.begin(), rules.names.dns.end(), serves) ||
      !std::all_of(rules.names.ip.begin(), rules.names.ip.end(), serves)) {
    return "it lacks a name";
  }
  if (!check_signed_by(state.serving.certificate, state.ca.certificate)) return "another CA signed it";
  if (state.serving_ca != state.ca.certificate) return "its CA is not on record beside it";
  if (now >= renewal(info)) return "it is past two thirds of its life";
  return "";
}

// A CA signs until its successor is made, and its leaves live for kServingLifetime.
Wall last_leaf_of_predecessor(const CertificateInfo& successor) {
  return successor.not_before + kBackdate + kServingLifetime + kAfterTheLastLeaf;
}

struct Trust {
  std::vector<std::string> certificates;
  Wall next = Wall::max();  // when the first of them is not needed any more
};

// Precondition: state.ca is good.
Trust trusted(const RotationState& state, Wall now) {
  Trust trust;
  trust.certificates.push_back(certificates_of(state.ca.certificate).front());
  CertificateInfo successor = *inspect(state.ca.certificate);
  for (const std::string& certificate : certificates_of(state.retired)) {
    const auto info = inspect(certificate);
    if (!info) continue;
    const Wall until = std::min(last_leaf_of_predecessor(successor), info->not_after);
    successor = *info;
    if (now >= until) continue;
    trust.certificates.push_back(certificate);
    trust.next = std::min(trust.next, until);
  }
  return trust;
}

bool has_expired(const PemPair& leaf, Wall now) {
  const auto info = inspect(leaf.certificate);
  return info && now >= info->not_after;
}

}  // namespace

std::string ca_common_name(Wall now) {
  return kCaName + std::to_string(std::chrono::system_clock::to_time_t(now));
}

std::string retire(const RotationState& state, Wall now) {
  std::vector<std::string> kept;
  const auto keep = [&](const std::string& pem) {
    for (const std::string& certificate : certificates_of(pem)) {
      const auto info = inspect(certificate);
      if (!info || !info->is_ca || now >= info->not_after) continue;
      if (std::find(kept.begin(), kept.end(), certificate) == kept.end()) kept.push_back(certificate);
    }
  };
  keep(state.ca.certificate);
  const bool ca_is_known = !kept.empty();
  keep(state.serving_ca);
  keep(state.retired);
  if (ca_is_known) return join_bundle(kept);
  // The Secret is lost, and with it the earlier CAs. A webhook may still serve a leaf of theirs. Only the API server's
  // present bundle shows them, so we keep those CAs in it that this program has made.
  for (const std::string& bundle : state.bundles) {
    for (const std::string& certificate : certificates_of(bundle)) {
      const auto info = inspect(certificate);
      if (info && info->subject.rfind(std::string("CN=") + kCaName, 0) == 0) keep(certificate);
    }
  }
  return join_bundle(kept);
}

RotationPlan plan_rotation(const RotationState& state, const RotationRules& rules, Wall now,
                           std::optional<Millis> published_for) {
  RotationPlan plan;
  if (plan.why = why_new_ca(state.ca, now); !plan.why.empty()) {
    plan.step = Step::kMakeCa;
    plan.retired = retire(state, now);
    return plan;
  }
  const Trust trust = trusted(state, now);
  plan.bundle = join_bundle(trust.certificates);
  const auto differs = [&](const std::string& bundle) { return bundle != plan.bundle; };
  if (std::any_of(state.bundles.begin(), state.bundles.end(), differs)) {
    plan.step = Step::kPublish;
    plan.why = "the API server trusts something else";
    return plan;
  }
  plan.next = std::min(trust.next, renewal(*inspect(state.ca.certificate)));
  plan.why = why_new_leaf(state, rules, now);
  if (plan.why.empty()) {
    plan.next = std::min(plan.next, renewal(*inspect(state.serving.certificate)));
    return plan;
  }
  // Without an earlier CA, or with a leaf that nobody trusts any more, waiting would preserve nothing.
  const bool nothing_to_lose = trust.certificates.size() == 1 || has_expired(state.serving, now);
  if (nothing_to_lose || published_for.value_or(Millis(0)) >= rules.propagation) {
    plan.step = Step::kIssue;
    return plan;
  }
  plan.next = std::min(plan.next, now + rules.propagation - published_for.value_or(Millis(0)));
  return plan;
}

}  // namespace snapfreeze::certs
