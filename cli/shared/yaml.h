// A JSON document as YAML 1.2 in block style, which every JSON value can be. Pure.
#pragma once

#include <string>

#include "base/json.h"

namespace snapfreeze::cli {

// Strings are in double quotes, escaped as in JSON, so that none can be read as another type. Ends with a newline.
[[nodiscard]] std::string to_yaml(const Json& value);

}  // namespace snapfreeze::cli
