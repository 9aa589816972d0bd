// The certificate that a TLS server presents to anyone who connects: for the readiness of our own server, and for
// commands that a person runs.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace snapfreeze::tls {

// The leaf, and after it the rest of its chain, in PEM, of a handshake with `address` ("127.0.0.1:8443", "[::1]:8443",
// "host:443"). Nothing is verified; judging it is up to the caller. kTransient, saying why: no connection or no
// handshake within `timeout` (name resolution apart).
Result<std::string> presented_certificate(const std::string& address, Millis timeout);

}  // namespace snapfreeze::tls
