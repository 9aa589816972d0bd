// The part of the judge that looks into the sweepers: of what is over they may remember nothing, or they grow as long
// as they live. Bytes would differ from one allocator to the next, so it counts what they hold.
#pragma once

#include <string>
#include <vector>

#include "test/sim/history.h"

namespace sim {

// As broken_promises().
[[nodiscard]] std::vector<std::string> broken_growth(History& history);

}  // namespace sim
