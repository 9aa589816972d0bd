// What a TLS server presents, as anybody who connects sees it: for the readiness of our own, and for a person who asks.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace snapfreeze::tls {

// The leaf, in PEM, of a handshake with `address` ("127.0.0.1:8443", "[::1]:8443", "host:443"). Nothing is verified:
// what it is worth is the caller's question. kTransient, saying why: no connection or no handshake within `timeout`
// (name resolution apart).
Result<std::string> presented_certificate(const std::string& address, Millis timeout);

}  // namespace snapfreeze::tls
