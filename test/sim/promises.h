// The judge of a history: it knows what really happened to guests and disks, and what was said of them, and nothing of
// why.
#pragma once

#include <string>
#include <vector>

#include "test/sim/history.h"

namespace sim {

// What was not kept, in words; empty: all was.
[[nodiscard]] std::vector<std::string> broken_promises(History& history);

}  // namespace sim
