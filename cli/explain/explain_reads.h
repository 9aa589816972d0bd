// What `explain` reads from the API server.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/explain/explain.h"
#include "kube/api.h"

namespace snapfreeze::cli {

// Reads the Harvester backup of that name, or else the newest backup whose snapshots have that label. kNotFound: there
// is neither. For k disks, at most 3 + 3k calls and the namespace's Events in pages. If a reason points at somebody
// else, also the lists of read_others(). `unseen` names everything but the backup and its snapshots that could not be
// read.
Result<ExplainFacts> read_explain(kube::KubeApi& api, const std::string& ns, const std::string& name,
                                  const std::string& system_namespace);

}  // namespace snapfreeze::cli
