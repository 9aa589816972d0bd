// Lanes as a picture. Pure.
#pragma once

#include <string>
#include <vector>

#include "cli/explain/lane.h"

namespace snapfreeze::cli {

// All lanes on one scale, as one SVG picture. It is well-formed whatever their texts contain.
[[nodiscard]] std::string to_svg(const std::vector<Lane>& lanes);

}  // namespace snapfreeze::cli
