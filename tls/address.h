// Socket addresses, and the names that stand for them.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace snapfreeze::tls {

struct Address {
  alignas(8) unsigned char bytes[28];  // sockaddr_in or sockaddr_in6
  unsigned length = 0;
};

enum class Names { kAny, kNumericOnly };

// What the system's resolver says, in its order; the port is 0 if `port` is "". kTransient with its reason, or when
// there is none. It can be neither bounded nor stopped: where no name server answers, it takes half a minute.
Result<std::vector<Address>> look_up(const std::string& host, const std::string& port, Names names);

// "10.0.0.1", "fd00::1"; an IPv4 address that is mapped into IPv6 is written as IPv4.
std::string ip_text(const Address& address);

// "10.0.0.1:40000", "[fd00::1]:40000"
std::string address_text(const Address& address);

}  // namespace snapfreeze::tls
