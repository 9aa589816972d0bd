// A member of a JSON object, to look at: Json::value() would copy it, with all that is in it.
#pragma once

#include "test/double/api/http.h"

namespace cluster {

// An empty object when there is none of that name. Throws Json::exception when `object` is no object.
[[nodiscard]] inline const Json& part(const Json& object, const char* name) {
  static const Json kNone = Json::object();
  const auto& members = object.get_ref<const Json::object_t&>();
  const auto found = members.find(name);
  return found == members.end() ? kNone : found->second;
}

}  // namespace cluster
