// Whether an API server would accept what a webhook serves. Pure. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace snapfreeze::certs {

// As Go's crypto/x509 decides it, which the API server uses. `served` is PEM: the leaf, then any intermediate CAs. Each
// certificate of `ca_bundle` is trusted, self-signed or not. `host` must be one of the leaf's DNS names; "" is not
// looked for. kMalformed, saying why it would not.
Result<void> check_trusted(std::string_view served, std::string_view ca_bundle, const std::string& host, Wall now);

}  // namespace snapfreeze::certs
