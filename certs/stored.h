// Where certificates are stored and published: Secrets of our namespace, and caBundle of our own
// MutatingWebhookConfiguration. Nothing else in that object is ever written.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "kube/api.h"

namespace snapfreeze::certs {

// A Secret with its entries decoded. An entry that is not base64 is left out. A missing Secret has no uid, no
// resource version and no data.
struct StoredSecret {
  std::string namespace_;
  std::string name;
  std::string uid;
  std::string resource_version;
  std::map<std::string, std::string> data;
  bool ours = false;  // made by write_secret()

  [[nodiscard]] std::string entry(const std::string& key) const;  // "" when absent
};

// What the API server trusts: one entry for each webhook of our configuration.
struct Registration {
  struct Webhook {
    std::string name;
    std::string bundle;  // PEM; "" when there is none or it is not base64
    std::string host;    // for which the API server wants the certificate to be; "" when the object names none
  };
  std::string name;
  std::vector<Webhook> webhooks;  // none: there is no such configuration
};

[[nodiscard]] kube::Request read_secret_request(const std::string& ns, const std::string& name);
Result<StoredSecret> secret_of(const Result<kube::Response>& reply, const std::string& ns, const std::string& name);

[[nodiscard]] kube::Request read_registration_request(const std::string& name);
Result<Registration> registration_of(const Result<kube::Response>& reply, const std::string& name);

// Creates the Secret, or sets these entries and leaves the rest alone. kConflict when somebody else wrote since.
Result<void> write_secret(kube::KubeApi& api, const StoredSecret& secret,
                          const std::vector<std::pair<std::string, std::string>>& entries);

// Sets caBundle of each webhook. kMalformed or kConflict when the webhooks are no longer those that were read.
Result<void> publish(kube::KubeApi& api, const Registration& registration, const std::string& bundle);

}  // namespace snapfreeze::certs
