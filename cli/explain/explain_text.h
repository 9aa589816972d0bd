// An explanation as people read it. Pure.
#pragma once

#include <string>

#include "cli/explain/explain.h"

namespace snapfreeze::cli {

[[nodiscard]] std::string to_text(const Explanation& explanation, bool colours);

}  // namespace snapfreeze::cli
