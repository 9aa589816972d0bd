// What Harvester and its backups say. Pure.
#pragma once

#include <vector>

#include "cli/check/check.h"

namespace snapfreeze::cli {

void check_harvester(const CheckFacts& facts, std::vector<Finding>& findings);

}  // namespace snapfreeze::cli
