#include "tls/presented.h"

#include <vector>

#include "tls/address.h"
#include "tls/stream.h"

namespace snapfreeze::tls {

namespace {

Result<std::vector<Address>> addresses_of(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  std::string host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (colon == std::string::npos || host.empty()) return Error{Code::kTransient, "not an address"};
  auto addresses = look_up(host, text.substr(colon + 1), Names::kAny);
  if (!addresses) return Error{Code::kTransient, "not an address (" + addresses.error().message + ")"};
  return addresses;
}

Result<std::string> shown_by(const std::string& address, const WaitLimit& limit) {
  const auto addresses = addresses_of(address);
  if (!addresses) return addresses.error();
  const auto context = Context::curious();
  if (!context) return context.error();
  Error last{Code::kTransient, "no address"};
  for (const Address& each : *addresses) {
    const auto stream = Stream::connect(*context, each, "", limit);
    if (stream) return (*stream)->peer_certificates();
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
