// What we must keep from doing, and how soon all must be well again: the promises 5, 8 and 9 of the judge.
#pragma once

#include <string>
#include <vector>

#include "test/sim/history.h"

namespace sim {

// What was not kept, in words; empty: all was. `history` has been played.
[[nodiscard]] std::vector<std::string> broken_restraint(History& history);

}  // namespace sim
