// What a snapshot is marked with at its admission, as JSON patch operations (RFC 6902). Pure.
//
// A patch that does not apply fails the whole request, whatever the failure policy says; so would an object that the
// patch makes invalid. Operations are made for exactly the object received.
#pragma once

#include <string>

#include "base/json.h"

namespace snapfreeze::webhook {

struct Marks {
  std::string epoch;        // label; freeze/names.h
  std::string backup;       // annotation; as the others "" means: not set by us
  std::string vm;           // annotation; "" keeps what the creator asked for
  std::string consistency;  // annotation; "" removes what was brought along, as nobody may bring a verdict
  std::string reason;       // annotation; likewise
};

// The operations that mark `object`, a JSON object; an empty array when it is marked so already. Where annotations
// would exceed the API server's limit of 256 KiB, none is added.
[[nodiscard]] Json patch_for(const Json& object, const Marks& marks);

// The operations that take away what nobody but us may bring, from an object that is not ours: epoch, backup and
// verdict. Removals only; an empty array when there is nothing of the kind.
[[nodiscard]] Json removals_for(const Json& object);

}  // namespace snapfreeze::webhook
