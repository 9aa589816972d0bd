// The Lease that records a session, written and read. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "freeze/session.h"

namespace snapfreeze::freeze {

// `<namespace>.<vm>`, or a prefix of it and a hash if that exceeds the 253 characters of a name. A namespace has no
// dot, so two guests never share a name.
[[nodiscard]] std::string lease_name(std::string_view ns, std::string_view vm);

// The format of the Leases that this version writes, in an annotation. A change that an older version would misread
// needs a higher number, and a release before it that knows to leave that number alone. A Lease without the annotation
// is of format 1.
inline constexpr int kLeaseFormat = 1;
inline constexpr char kFormat[] = "snapfreeze.harvesterhci.io/format";

// The label that lists sessions. The leader's Lease does not carry it.
inline constexpr char kSessionLabel[] = "snapfreeze.harvesterhci.io/session";

// The Lease of a new session, to be created in `own_namespace`.
[[nodiscard]] Json to_lease(const Session& session, std::string_view own_namespace);

// The merge patch that brings the Lease to the state of `session`. It is valid for its resource_version only.
[[nodiscard]] Json to_patch(const Session& session);

// Reads a Lease. One that was damaged by hand becomes a session in Thawing with a doubt, so that its guest is still
// thawed. One of a newer format becomes a session in kNewer. kMalformed: the Lease does not even say which guest it is
// about.
Result<Session> from_lease(const Json& lease);

}  // namespace snapfreeze::freeze
