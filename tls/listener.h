// A listening TCP socket.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "tls/descriptor.h"

namespace snapfreeze::tls {

struct Listener {
  FileDescriptor socket;  // non-blocking
  std::uint16_t port = 0;
};

// An empty address: all of them, IPv6 and IPv4 on one socket where the machine has IPv6. kMalformed names what is
// wrong.
Result<Listener> listen_on(const std::string& address, std::uint16_t port);

struct Accepted {
  FileDescriptor socket;  // non-blocking, without Nagle's delay; negative when none was accepted
  std::string peer;       // "10.0.0.1:40000", "[fd00::1]:40000"
  int error = 0;          // errno when none was accepted; ECONNABORTED: it is gone already
};
Accepted accept_from(const Listener& listener);

// How many of `wanted` connections this process may hold open beside its other descriptors, after its soft limit was
// raised as far as that takes and the hard one allows.
int connections_allowed(int wanted);

}  // namespace snapfreeze::tls
