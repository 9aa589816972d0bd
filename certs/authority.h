// A small certificate authority: makes a CA and serving certificates. PEM in and out.
// Pure but for randomness: time is an argument, so that years of rotations run in a test. Thread-safe.
//
// What it makes follows RFC 5280 and what Go's crypto/x509, and so the API server, demands: SANs (a common name is not
// looked at), a key identifier chain, serverAuth.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "certs/inspect.h"

namespace snapfreeze::certs {

inline constexpr std::chrono::hours kCaLifetime{365 * 24};
inline constexpr std::chrono::hours kServingLifetime{30 * 24};
// NotBefore lies this far back, so that a reader whose clock is behind ours trusts a new certificate at once.
inline constexpr std::chrono::hours kBackdate{1};

struct PemPair {
  std::string certificate;  // of a chain: the leaf first
  std::string key;          // PKCS#8, not encrypted
};

// A self-signed P-256 CA that may sign leaves only, valid from now - kBackdate to now + kCaLifetime.
Result<PemPair> make_ca(const std::string& common_name, Wall now);

// A P-256 serving certificate of this CA for these names (at least one), valid from now - kBackdate to
// now + kServingLifetime, but never longer than the CA. kMalformed: no name, a bad IP, a CA that is none or has
// expired.
Result<PemPair> issue_serving(const PemPair& ca, const SubjectAltNames& names, Wall now);

}  // namespace snapfreeze::certs
