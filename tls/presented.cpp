#include "tls/presented.h"

#include <netdb.h>
#include <sys/socket.h>

#include <cstring>
#include <vector>

#include "tls/stream.h"

namespace snapfreeze::tls {

namespace {

Result<std::vector<Address>> look_up(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  std::string host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (colon == std::string::npos || host.empty()) return Error{Code::kTransient, "not an address"};
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* first = nullptr;
  const int error = getaddrinfo(host.c_str(), text.c_str() + colon + 1, &hints, &first);
  if (error != 0) return Error{Code::kTransient, std::string("not an address (") + gai_strerror(error) + ")"};
  std::vector<Address> addresses;
  for (const addrinfo* each = first; each != nullptr; each = each->ai_next) {
    if (each->ai_addrlen > sizeof(Address::bytes)) continue;
    Address& address = addresses.emplace_back();
    std::memcpy(address.bytes, each->ai_addr, each->ai_addrlen);
    address.length = each->ai_addrlen;
  }
  freeaddrinfo(first);
  return addresses;
}

Result<std::string> shown_by(const std::string& address, const WaitLimit& limit) {
  const auto addresses = look_up(address);
  if (!addresses) return addresses.error();
  const auto context = Context::curious();
  if (!context) return context.error();
  Error last{Code::kTransient, "the host has no address"};
  for (const Address& each : *addresses) {
    const auto stream = Stream::connect(*context, each, "", limit);
    if (stream) return (*stream)->peer_certificate();
    last = stream.error();
  }
  return last;
}

}  // namespace

Result<std::string> presented_certificate(const std::string& address, Millis timeout) {
  auto shown = shown_by(address, {std::chrono::steady_clock::now() + timeout});
  if (!shown) return Error{Code::kTransient, address + ": " + shown.error().message};
  return shown;
}

}  // namespace snapfreeze::tls
