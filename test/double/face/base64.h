// RFC 4648, with padding. Its own, so that what the product encodes wrongly is not decoded by the same mistake.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cluster {

std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);  // nullopt: not base64

}  // namespace cluster
