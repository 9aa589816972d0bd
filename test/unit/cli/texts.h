// Texts in tests.
#pragma once

#include <string>

#include "base/json.h"

namespace test {

// JSON that is written with single quotes.
snapfreeze::Json parsed(const std::string& text);

[[nodiscard]] bool contains(const std::string& text, const std::string& part);

}  // namespace test
