// A world and its accidents, drawn by seed.
#pragma once

#include <cstdint>

#include "test/sim/plan.h"

namespace sim {

// The same seed draws the same plan, on any machine.
[[nodiscard]] Plan draw(std::uint64_t seed);

}  // namespace sim
