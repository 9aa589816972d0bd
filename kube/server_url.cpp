#include "kube/server_url.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/number.h"

namespace snapfreeze::kube {
namespace {

Error not_a_server(std::string_view url, const char* why, const char* expected) {
  return {Code::kMalformed, fmt::format("\"{}\" {}, {} is expected", url, why, expected)};
}

// What follows the scheme. `server` says the default port.
Result<ServerUrl> parse(std::string_view url, std::string_view rest, ServerUrl server, const char* expected) {
  // Anything but visible ASCII, and anything that begins a query or a user, would end up in the request line.
  const auto unfit = [](char c) { return c <= ' ' || c >= 127 || c == '?' || c == '#' || c == '@' || c == '\\'; };
  if (std::ranges::any_of(url, unfit)) return not_a_server(url, "has more than a host, a port and a path", expected);
  const std::size_t slash = rest.find('/');
  if (slash != std::string_view::npos) {
    server.path = std::string(rest.substr(slash));
    while (server.path.ends_with('/')) server.path.pop_back();
    rest = rest.substr(0, slash);
  }
  const bool bracketed = rest.starts_with('[');
  const std::size_t host_end = bracketed ? rest.find(']') : rest.find(':');
  server.host = std::string(rest.substr(bracketed ? 1 : 0, bracketed ? host_end - 1 : host_end));
  if (server.host.empty() || (bracketed && host_end == std::string_view::npos)) {
    return not_a_server(url, "has no host", expected);
  }
  rest = host_end == std::string_view::npos ? "" : rest.substr(host_end + (bracketed ? 1 : 0));
  if (rest.empty()) return server;
  const auto port = rest.starts_with(':') ? parse_port(rest.substr(1)) : std::nullopt;
  if (!port) return not_a_server(url, "has no port of 1 to 65535", expected);
  server.port = *port;
  return server;
}

}  // namespace

std::optional<int> parse_port(std::string_view text) {
  const auto port = whole_number<int>(text);
  return port && *port >= 1 && *port <= 65535 ? port : std::nullopt;
}

Result<ServerUrl> parse_server_url(std::string_view url) {
  constexpr std::string_view kScheme = "https://";
  constexpr const char* kExpected = "https://host:6443";
  if (url.starts_with("http://")) {
    return not_a_server(url, "is without TLS, which would show the token to anyone", kExpected);
  }
  if (!url.starts_with(kScheme)) return not_a_server(url, "is not an https URL", kExpected);
  return parse(url, url.substr(kScheme.size()), {}, kExpected);
}

Result<ServerUrl> parse_plain_url(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  constexpr const char* kExpected = "http://host:9500";
  constexpr int kPort = 80;
  if (!url.starts_with(kScheme)) return not_a_server(url, "is not an http URL", kExpected);
  auto server = parse(url, url.substr(kScheme.size()), {"", kPort, ""}, kExpected);
  if (server && !server->path.empty()) return not_a_server(url, "has a path", kExpected);
  return server;
}

}  // namespace snapfreeze::kube
