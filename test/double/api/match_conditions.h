// The little of CEL that match conditions for this webhook need:
//   a || b, a && b, !a, (a)
//   has(object.some.path)
//   'key' in object.metadata.labels
//   object.metadata.ownerReferences.exists(o, <terms over o>)
//   o.field == 'text', o.field == true, o.field, has(o.field), o.field.startsWith('text')
#pragma once

#include <string>

#include "test/double/api/http.h"

namespace cluster {

// Throws std::invalid_argument for what is not of these forms.
bool match_condition(const std::string& expression, const Json& object);

}  // namespace cluster
