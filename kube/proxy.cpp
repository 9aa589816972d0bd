#include "kube/proxy.h"

#include <arpa/inet.h>

#include <array>
#include <optional>
#include <vector>

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
  const std::string bits = entry.substr(slash + 1);
  if (!network || bits.empty() || bits.size() > 3 || bits.find_first_not_of("0123456789") != std::string::npos) {
    return false;
  }
  return address && in_network(*address, *network, std::stoul(bits));
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

std::string lower(std::string_view text) {
  std::string result;
  for (const char c : text) result += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return result;
}

}  // namespace

bool goes_direct(std::string_view no_proxy, const std::string& host, int port) {
  const std::string name = lower(host);
  const auto address = parse_address(name);
  if (name == "localhost" || (address && is_loopback(*address))) return true;
  const std::string list = lower(no_proxy) + ",";
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = list.find(',', begin);
    std::string entry = list.substr(begin, end - begin);
    begin = end + 1;
    const auto first = entry.find_first_not_of(' ');
    if (first == std::string::npos) continue;
    entry = entry.substr(first, entry.find_last_not_of(' ') - first + 1);
    if (matches(std::move(entry), name, port)) return true;
  }
  return false;
}

}  // namespace snapfreeze::kube
