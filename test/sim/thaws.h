// Promise 2: no guest stays frozen.
#pragma once

#include <string>
#include <vector>

#include "test/sim/history.h"

namespace sim {

std::vector<std::string> broken_thaws(History& history);

}  // namespace sim
