// The stored certificates of an installation, read together, and the two writes that make new ones.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "certs/authority.h"
#include "certs/rotation.h"
#include "certs/stored.h"
#include "kube/api.h"

namespace snapfreeze::certs {

struct StoredNames {
  std::string own_namespace;
  std::string registration = "snapfreeze";        // the MutatingWebhookConfiguration
  std::string serving_secret = "snapfreeze-tls";  // mounted by the webhooks: tls.crt, tls.key, ca.crt
  std::string ca_secret = "snapfreeze-ca";        // self-managed: tls.crt, tls.key, retired.crt; mounted by nobody
};

inline constexpr char kCertificateEntry[] = "tls.crt";
inline constexpr char kKeyEntry[] = "tls.key";
inline constexpr char kCaEntry[] = "ca.crt";
inline constexpr char kRetiredEntry[] = "retired.crt";

struct Certificates {
  StoredSecret ca;
  StoredSecret serving;
  Registration registration;

  [[nodiscard]] RotationState state() const;
};

// An object that does not exist is empty. Any other error is returned, naming the object.
Result<Certificates> read_stored(kube::KubeApi& api, const StoredNames& names);

// Writes a new CA, beside which `retired` stays trusted. kConflict: somebody else wrote since `current` was read.
Result<void> write_new_ca(kube::KubeApi& api, const Certificates& current, const std::string& retired, Wall now);

// Writes a new leaf, signed by the stored CA. kConflict as above.
Result<void> write_new_leaf(kube::KubeApi& api, const Certificates& current, const SubjectAltNames& names, Wall now);

}  // namespace snapfreeze::certs
