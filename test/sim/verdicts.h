// Promise 3: no backup is said to be consistent that is not.
#pragma once

#include <string>
#include <vector>

#include "test/sim/history.h"
#include "test/sim/holders.h"

namespace sim {

// What was not kept, in words; empty: all was. `history` has been played.
[[nodiscard]] std::vector<std::string> false_verdicts(History& history, const Holders& holders);

}  // namespace sim
