// Proxies of the environment. We do not use them, and whoever has set one must learn of it. Pure.
#pragma once

#include <string>
#include <string_view>

namespace snapfreeze::kube {

// Whether kubectl would connect to that server without the proxy: because `no_proxy` (of $NO_PROXY) lists it, as Go's
// net/http reads it, or because it is this machine.
[[nodiscard]] bool goes_direct(std::string_view no_proxy, const std::string& host, int port);

}  // namespace snapfreeze::kube
