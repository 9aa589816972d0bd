// The marks that a snapshot gets at its admission, as JSON patch operations (RFC 6902). Pure.
//
// A patch that does not apply fails the whole request, whatever the failure policy says. So does a patch that makes the
// object invalid. Operations are made for exactly the object received.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "freeze/verdict.h"

namespace snapfreeze::webhook {

struct Marks {
  std::string epoch;   // label; freeze/names.h
  std::string backup;  // annotation; "", as in the others: not set by us
  std::string vm;      // annotation; "" keeps the one that the creator set
  // Annotations; nullopt removes a verdict that the creator set, as no creator may give one.
  std::optional<freeze::Verdict> verdict{};
};

// The operations that mark `object`, a JSON object; an empty array when it already has these marks. If the annotations
// would exceed the API server's limit of 256 KiB, none is added, and of the epochs only that of a session: `none` and
// `offline` are removed.
[[nodiscard]] Json patch_for(const Json& object, const Marks& marks);

// The operations that remove the marks that only we may set from an object that is not ours: epoch, backup and verdict.
// Removals only; an empty array when it has none of them.
[[nodiscard]] Json removals_for(const Json& object);

}  // namespace snapfreeze::webhook
