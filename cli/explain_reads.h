// What `explain` asks the API server.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/explain.h"
#include "kube/api.h"

namespace snapfreeze::cli {

// Harvester's backup of that name, or else the snapshots whose label names it. kNotFound: neither is there. For k disks
// at most 6 + 3k calls. What beside these cannot be read is left out.
Result<ExplainFacts> read_explain(kube::KubeApi& api, const std::string& ns, const std::string& name,
                                  const std::string& system_namespace);

}  // namespace snapfreeze::cli
