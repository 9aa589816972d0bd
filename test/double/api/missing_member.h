// Included before nlohmann-json wherever the double is used. That library looks up a member of a constant object
// without a check, unless an assertion ends the program. But members that no schema allows to be missing are missing as
// soon as somebody edits an object. Here it throws.
#pragma once

namespace cluster {

// Throws Json::out_of_range.
[[noreturn]] void missing_member();

}  // namespace cluster

#define JSON_ASSERT(holds) ((holds) ? static_cast<void>(0) : ::cluster::missing_member())
