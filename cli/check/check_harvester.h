// The findings about Harvester and its backups. Pure.
#pragma once

#include <vector>

#include "cli/check/check.h"

namespace snapfreeze::cli {

void check_harvester(const CheckFacts& facts, std::vector<Finding>& findings);

}  // namespace snapfreeze::cli
