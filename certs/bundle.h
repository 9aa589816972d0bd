// Several certificates in one PEM text, as caBundle and ca.crt hold them. Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace snapfreeze::certs {

// Each certificate as a PEM text of its own, always in the same form. kMalformed, saying why: none, or a damaged one.
Result<std::vector<std::string>> split_bundle(std::string_view pem);

[[nodiscard]] std::string join_bundle(const std::vector<std::string>& certificates);

}  // namespace snapfreeze::certs
