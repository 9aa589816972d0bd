#include "tls/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

namespace snapfreeze::tls {

namespace {

const sockaddr* socket_address(const Address& address) {
  return reinterpret_cast<const sockaddr*>(address.bytes);
}

}  // namespace

Result<std::vector<Address>> look_up(const std::string& host, const std::string& port, Names names) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  if (names == Names::kNumericOnly) hints.ai_flags = AI_NUMERICHOST;
  addrinfo* first = nullptr;
  const int error = getaddrinfo(host.c_str(), port.empty() ? nullptr : port.c_str(), &hints, &first);
  if (error != 0) return Error{Code::kTransient, gai_strerror(error)};
  std::vector<Address> addresses;
  for (const addrinfo* each = first; each != nullptr; each = each->ai_next) {
    if (each->ai_addrlen > sizeof(Address::bytes)) continue;
    Address& address = addresses.emplace_back();
    std::memcpy(address.bytes, each->ai_addr, each->ai_addrlen);
    address.length = each->ai_addrlen;
  }
  freeaddrinfo(first);
  if (addresses.empty()) return Error{Code::kTransient, "the host has no address"};
  return addresses;
}

std::string ip_text(const Address& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (socket_address(address)->sa_family == AF_INET) {
    const auto& ipv4 = reinterpret_cast<const sockaddr_in&>(address.bytes);
    inet_ntop(AF_INET, &ipv4.sin_addr, text.data(), text.size());
    return text.data();
  }
  const auto& ipv6 = reinterpret_cast<const sockaddr_in6&>(address.bytes);
  if (IN6_IS_ADDR_V4MAPPED(&ipv6.sin6_addr)) {
    inet_ntop(AF_INET, &ipv6.sin6_addr.s6_addr[12], text.data(), text.size());
  } else {
    inet_ntop(AF_INET6, &ipv6.sin6_addr, text.data(), text.size());
  }
  return text.data();
}

std::string address_text(const Address& address) {
  // Where sockaddr_in has its port too.
  const std::string port = std::to_string(ntohs(reinterpret_cast<const sockaddr_in6&>(address.bytes).sin6_port));
  const std::string ip = ip_text(address);
  return ip.find(':') == std::string::npos ? ip + ":" + port : "[" + ip + "]:" + port;
}

}  // namespace snapfreeze::tls
