#include "kube/proxy.h"

#include <arpa/inet.h>

#include <array>
#include <optional>
#include <vector>

#include "base/http_text.h"
#include "base/number.h"
#include "kube/server_url.h"

namespace snapfreeze::kube {
namespace {

using Address = std::vector<unsigned char>;  // 4 or 16 bytes

std::optional<Address> parse_address(const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return Address(bytes.begin(), bytes.begin() + 4);
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return Address(bytes.begin(), bytes.end());
  return std::nullopt;
}

bool is_loopback(const Address& address) {
  constexpr std::array<unsigned char, 16> kV6{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return address.size() == 4 ? address[0] == 127 : address == Address(kV6.begin(), kV6.end());
}

bool in_network(const Address& address, const Address& network, std::size_t bits) {
  if (address.size() != network.size() || bits > address.size() * 8) return false;
  for (std::size_t i = 0; i < bits; ++i) {
    const unsigned mask = 0x80U >> (i % 8);
    if ((address[i / 8] & mask) != (network[i / 8] & mask)) return false;
  }
  return true;
}

// "10.0.0.0/8"; nullopt: it is no network.
std::optional<bool> matches_network(const std::string& entry, const std::optional<Address>& address) {
  const auto slash = entry.find('/');
  if (slash == std::string::npos) return std::nullopt;
  const auto network = parse_address(entry.substr(0, slash));
  const auto bits = whole_number<std::size_t>(std::string_view(entry).substr(slash + 1));
  return network && bits && address && in_network(*address, *network, *bits);
}

// "example.com" is itself and what is below it; ".example.com" and "*.example.com" only what is below.
bool matches_name(std::string entry, const std::string& host) {
  if (entry.starts_with("*.")) entry.erase(0, 1);
  if (entry.starts_with(".")) return host.ends_with(entry);
  return host == entry || host.ends_with("." + entry);
}

bool matches(std::string entry, const std::string& host, int port) {
  if (entry == "*") return true;
  const auto address = parse_address(host);
  if (const auto network = matches_network(entry, address)) return *network;
  if (!parse_address(entry)) {
    if (const auto colon = entry.rfind(':'); colon != std::string::npos) {
      if (parse_port(entry.substr(colon + 1)) != port) return false;
      entry.resize(colon);
    }
    if (entry.size() > 2 && entry.front() == '[' && entry.back() == ']') entry = entry.substr(1, entry.size() - 2);
  }
  if (const auto wanted = parse_address(entry)) return address == wanted;
  return !address && !entry.empty() && matches_name(std::move(entry), host);
}

}  // namespace

bool goes_direct(std::string_view no_proxy, const std::string& host, int port) {
  const std::string name = lower_case(host);
  const auto address = parse_address(name);
  if (name == "localhost" || (address && is_loopback(*address))) return true;
  const std::string list = lower_case(no_proxy) + ",";
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = list.find(',', begin);
    if (matches(std::string(trim(std::string_view(list).substr(begin, end - begin))), name, port)) return true;
    begin = end + 1;
  }
  return false;
}

}  // namespace snapfreeze::kube
