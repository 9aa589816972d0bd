// The server URL of a kubeconfig, split into its parts.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace snapfreeze::kube {

struct ServerUrl {
  std::string host;  // IPv6 without brackets
  int port = 443;
  std::string path;  // without the slash at its end: "" or "/k8s/clusters/local"
};

// kMalformed: not https://host[:port][/path].
Result<ServerUrl> parse_server_url(std::string_view url);

// kMalformed: not http://host[:port], which is all that may be said to a server without TLS; the port is 80 by default.
Result<ServerUrl> parse_plain_url(std::string_view url);

// 1 to 65535.
[[nodiscard]] std::optional<int> parse_port(std::string_view text);

}  // namespace snapfreeze::kube
