// PATCH: merge patches and JSON patches.
#pragma once

#include <optional>

#include "test/double/api/http.h"
#include "test/double/api/resources.h"

namespace cluster {

// Alters `object`, or refuses: 409 when metadata.resourceVersion or uid in the patch are not the object's, 422 for JSON
// patches that do not apply, 415 for other kinds of patch.
std::optional<Reply> apply_patch(const HttpRequest& request, const ResourceType& type, Json& object);

}  // namespace cluster
