// What must be read to name what spoils verdicts.
#pragma once

#include <string>

#include "cli/shared/spoilers.h"
#include "kube/api.h"

namespace snapfreeze::cli {

// Of one namespace, in pages: at most seven lists. What cannot be read is said in `unseen`.
[[nodiscard]] Others read_others(kube::KubeApi& api, const std::string& ns, const Wanted& wanted);

}  // namespace snapfreeze::cli
