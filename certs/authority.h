// A small certificate authority: makes a CA and serving certificates. Reads and writes PEM.
// Pure but for randomness: time is an argument, so that a test can run years of rotations. Thread-safe.
//
// Its certificates follow RFC 5280 and the demands of Go's crypto/x509, and so of the API server: SANs (the common name
// is ignored), a key identifier chain, serverAuth.
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
// How far NotBefore lies in the past, so that a reader whose clock is behind ours trusts a new certificate at once.
inline constexpr std::chrono::hours kBackdate{1};

struct PemPair {
  std::string certificate;  // of a chain: the leaf first
  std::string key;          // PKCS#8, not encrypted
};

// Makes a self-signed P-256 CA that may sign leaves only, valid from now - kBackdate to now + kCaLifetime.
Result<PemPair> make_ca(const std::string& common_name, Wall now);

// Makes a P-256 serving certificate signed by this CA for these names (at least one), valid from now - kBackdate to now
// + kServingLifetime, but never longer than the CA. kMalformed: no name, a bad IP, or a CA that has expired or is not a
// CA.
Result<PemPair> issue_serving(const PemPair& ca, const SubjectAltNames& names, Wall now);

}  // namespace snapfreeze::certs
