// Runs in which one of snapfreeze's processes is killed at a random moment, for levels that cannot count its calls.
#pragma once

#include <cstdint>
#include <vector>

#include "test/scenarios/runner/scenario.h"

namespace runner {

// Made in turn from the scenarios that ask to be killed after each call. Beside the promises, two things must hold in
// each: the backup completes, and no guest is frozen for longer than its timer.
std::vector<Scenario> kill_rounds(const std::vector<Scenario>& scenarios, int rounds, std::uint64_t seed);

}  // namespace runner
