// Base64 (RFC 4648), as Secrets and kubeconfigs carry it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace snapfreeze {

[[nodiscard]] std::string base64_encode(std::string_view bytes);

// nullopt: another character, or a length or padding that no encoder writes. Line breaks are skipped.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

}  // namespace snapfreeze
