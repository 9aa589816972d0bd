// What the storage says of the cuts of some snapshots, beside what the snapshots say themselves.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "kube/api.h"

namespace snapfreeze::cli {

// By uid, of those that are captured: by whom, and when by the storage's own clock, if it says so in words that we
// know.
struct Capture {
  std::string said_by;  // "Longhorn", or "the content"
  std::optional<Wall> at;
};

// Two calls each, side by side. What does not exist says nothing; what cannot be read is added to `unseen`, each kind
// once.
[[nodiscard]] std::map<std::string, Capture> read_captures(kube::KubeApi& api, const std::vector<std::string>& uids,
                                                           std::vector<std::string>& unseen);

}  // namespace snapfreeze::cli
