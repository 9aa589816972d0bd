// Reads the objects that may have spoiled a verdict.
#pragma once

#include <string>

#include "cli/shared/spoilers.h"
#include "kube/api.h"

namespace snapfreeze::cli {

// Reads those of one namespace, in pages: at most seven lists. `unseen` names the kinds that could not be read.
[[nodiscard]] Others read_others(kube::KubeApi& api, const std::string& ns, const Wanted& wanted);

}  // namespace snapfreeze::cli
