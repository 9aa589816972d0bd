// What `status` asks the API server.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/status.h"
#include "kube/api.h"

namespace snapfreeze::cli {

// `ns`: of the VMs; "": all. Three calls, one for the snapshots of the sessions, and two for each of these that is not
// captured yet. An Error when the backups cannot be read; that the sessions cannot be is said in the facts, as who may
// see backups need not be allowed to see our own namespace.
Result<StatusFacts> read_status(kube::KubeApi& api, const std::string& ns, const std::string& system_namespace);

}  // namespace snapfreeze::cli
