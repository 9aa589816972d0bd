// Which version of a kind the API serves. Versions come and go: KubeVirt's backups are alpha, and a 404 for the version
// that we know does not mean that there are none.
#pragma once

#include <optional>
#include <string>

#include "kube/api.h"
#include "kube/paths.h"
#include "kube/rest.h"

namespace snapfreeze::kube {

// The server's preferred version among those that serve the kind; nullopt: none does, so there are no such objects. At
// most kMaxVersions + 1 calls of `timeout` each. Errors are those of kube/rest.h.
inline constexpr int kMaxVersions = 8;
Result<std::optional<std::string>> served_version(KubeApi& api, const Resource& resource,
                                                  Millis timeout = kCallTimeout);

}  // namespace snapfreeze::kube
