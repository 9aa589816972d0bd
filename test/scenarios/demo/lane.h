// One backup of the demo as it really went.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/explain/lane.h"

namespace demo {

using snapfreeze::cli::FrozenSpan;
using snapfreeze::cli::Lane;

// From the double's truth: /sandbox/guests and /sandbox/timeline. Begins at Harvester's first freeze of that VM.
Lane lane_of(const std::string& title, const std::string& vm, const nlohmann::json& guests,
             const nlohmann::json& timeline, double now_ms);

}  // namespace demo
