// Does Longhorn answer, which tells the sweeper live that disks are cut?
#pragma once

#include <vector>

#include "cli/check/check.h"
#include "kube/api.h"

namespace snapfreeze::cli {

// Asks through the API server's proxy, with the rights of whoever calls: this program mostly runs outside the cluster.
// Whether the sweeper's own pod may reach Longhorn, only the sweeper's log and metrics say.
[[nodiscard]] kube::Request longhorn_request();

// Says nothing where there is no Longhorn, and nothing to those who may not ask.
void check_longhorn(const CheckFacts& facts, std::vector<Finding>& findings);

}  // namespace snapfreeze::cli
