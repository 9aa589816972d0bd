// Base64 (RFC 4648), as Secrets and kubeconfigs carry it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace snapfreeze {

// Fewer than 1 GiB.
[[nodiscard]] std::string base64_encode(std::string_view bytes);

// nullopt: another character (even a space), a length or padding that no encoder writes, or more than 1 GiB. Line
// breaks are skipped anywhere.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

}  // namespace snapfreeze
