#include "certs/certificates.h"

#include <array>

namespace snapfreeze::certs {

RotationState Certificates::state() const {
  RotationState state;
  state.ca = {ca.entry(kCertificateEntry), ca.entry(kKeyEntry)};
  state.retired = ca.entry(kRetiredEntry);
  state.serving = {serving.entry(kCertificateEntry), serving.entry(kKeyEntry)};
  state.serving_ca = serving.entry(kCaEntry);
  for (const Registration::Webhook& webhook : registration.webhooks) state.bundles.push_back(webhook.bundle);
  return state;
}

Result<Certificates> read_stored(kube::KubeApi& api, const StoredNames& names) {
  const std::array<kube::Request, 3> requests{read_secret_request(names.own_namespace, names.ca_secret),
                                              read_secret_request(names.own_namespace, names.serving_secret),
                                              read_registration_request(names.registration)};
  const auto replies = api.call_all(requests);
  auto ca = secret_of(replies[0], names.own_namespace, names.ca_secret);
  if (!ca) return ca.error();
  auto serving = secret_of(replies[1], names.own_namespace, names.serving_secret);
  if (!serving) return serving.error();
  auto registration = registration_of(replies[2], names.registration);
  if (!registration) return registration.error();
  return Certificates{std::move(ca).value(), std::move(serving).value(), std::move(registration).value()};
}

Result<void> write_new_ca(kube::KubeApi& api, const Certificates& current, const std::string& retired, Wall now) {
  const auto ca = make_ca(ca_common_name(now), now);
  if (!ca) return ca.error();
  return write_secret(api, current.ca,
                      {{kCertificateEntry, ca->certificate}, {kKeyEntry, ca->key}, {kRetiredEntry, retired}});
}

Result<void> write_new_leaf(kube::KubeApi& api, const Certificates& current, const SubjectAltNames& names, Wall now) {
  const PemPair ca{current.ca.entry(kCertificateEntry), current.ca.entry(kKeyEntry)};
  const auto leaf = issue_serving(ca, names, now);
  if (!leaf) return leaf.error();
  return write_secret(api, current.serving,
                      {{kCertificateEntry, leaf->certificate}, {kKeyEntry, leaf->key}, {kCaEntry, ca.certificate}});
}

}  // namespace snapfreeze::certs
