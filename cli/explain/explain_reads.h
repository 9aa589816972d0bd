// What `explain` asks the API server.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/explain/explain.h"
#include "kube/api.h"

namespace snapfreeze::cli {

// Harvester's backup of that name, or else the newest backup whose snapshots' label names it. kNotFound: neither is
// there. For k disks at most 3 + 3k calls, and the namespace's Events in pages; where a reason points at somebody else,
// what read_others() lists, too. What beside the backup and its snapshots cannot be read is said in `unseen`.
Result<ExplainFacts> read_explain(kube::KubeApi& api, const std::string& ns, const std::string& name,
                                  const std::string& system_namespace);

}  // namespace snapfreeze::cli
