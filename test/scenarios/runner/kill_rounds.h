// Runs in which one of snapfreeze's processes is killed at a random moment, where nobody counts its calls.
#pragma once

#include <cstdint>
#include <vector>

#include "test/scenarios/runner/scenario.h"

namespace runner {

// Made in turn of the scenarios that are to be killed after each call. What must hold of each beside the promises: the
// backup completes, and no guest is frozen for longer than its timer.
std::vector<Scenario> kill_rounds(const std::vector<Scenario>& scenarios, int rounds, std::uint64_t seed);

}  // namespace runner
