// The findings about the cluster: its versions, Harvester, and what the accounts may do. Pure.
#pragma once

#include <vector>

#include "cli/check/check.h"

namespace snapfreeze::cli {

[[nodiscard]] std::vector<Finding> check_cluster(const CheckFacts& facts);
[[nodiscard]] std::vector<Finding> check_access(const std::vector<AccessFacts>& access);

}  // namespace snapfreeze::cli
