// Times, uids, names, and what the API server demands of metadata and of the few specs it knows itself.
#pragma once

#include <string>
#include <vector>

#include "test/double/api/http.h"
#include "test/double/api/resources.h"
#include "test/double/runtime/runtime.h"

namespace cluster {

std::string rfc3339(Wall time);        // whole seconds, truncated: "2026-11-23T13:17:00Z"
std::string rfc3339_micro(Wall time);  // "2026-11-23T13:17:00.000000Z"
std::string http_date(Wall time);      // "Mon, 23 Nov 2026 13:17:00 GMT"

std::string new_uid(Runtime& runtime);
std::string generated_name(Runtime& runtime, const std::string& generate_name);

// Problems as field errors; empty: valid.
std::vector<std::string> problems(const ResourceType& type, const Json& object);

}  // namespace cluster
