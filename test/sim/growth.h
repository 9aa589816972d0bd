// Promise 11: no process ends by itself, and none grows. The sweepers may remember nothing of what is over, or they
// would grow as long as they live. Bytes would differ from one allocator to the next, so what they hold is counted.
#pragma once

#include <string>
#include <vector>

#include "test/sim/history.h"

namespace sim {

// As broken_promises().
[[nodiscard]] std::vector<std::string> broken_growth(History& history);

}  // namespace sim
