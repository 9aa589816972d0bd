// What the storage says about the cuts of some snapshots, in addition to what the snapshots themselves say.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "kube/api.h"

namespace snapfreeze::cli {

// Who says that a snapshot is captured, and when by the storage's own clock, if the time can be parsed.
struct Capture {
  std::string said_by;  // "Longhorn", or "the content"
  std::optional<Wall> at;
};

// The captured snapshots, by uid. Two calls for each, side by side. An object that does not exist says nothing. A kind
// that cannot be read is added once to `unseen`.
[[nodiscard]] std::map<std::string, Capture> read_captures(kube::KubeApi& api, const std::vector<std::string>& uids,
                                                           std::vector<std::string>& unseen);

}  // namespace snapfreeze::cli
