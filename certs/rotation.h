// What the self-managed certificates need next: one idempotent step at a time, so that the same rules go on from the
// state that a crash between any two steps leaves. Pure but for parsing.
//
// The promise: every leaf that was ever issued and has not expired is trusted by any bundle that an API server may be
// using. So a CA is in the bundle, and known to every API server, before a leaf signed by it is served. It stays there
// until its last leaf has expired:
//
//   new CA beside the old (kMakeCa) -> both in the bundle (kPublish) -> wait -> new leaf (kIssue)
//     -> 30 days later, when no leaf of the old CA can live, its certificate leaves the bundle (kPublish)
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "certs/authority.h"

namespace snapfreeze::certs {

// What is stored; a field that is absent or unreadable is empty.
struct RotationState {
  PemPair ca;                        // signs the leaves
  std::string retired;               // certificates of CAs with leaves that may still be valid, the newest first
  PemPair serving;                   // the leaf
  std::string serving_ca;            // the CA that signed it
  std::vector<std::string> bundles;  // what the API server trusts, for each webhook of our configuration; PEM
};

struct RotationRules {
  SubjectAltNames names;  // of the leaf
  // How long an API server may go on using the previous bundle. Its informer hears of a change in well under a second.
  Millis propagation{std::chrono::minutes(5)};
};

struct RotationPlan {
  enum class Step { kNone, kMakeCa, kPublish, kIssue };
  Step step = Step::kNone;
  std::string why;
  std::string bundle;   // what must be trusted now; kPublish writes it
  std::string retired;  // kMakeCa writes it beside the new CA
  Wall next{};          // kNone: when something falls due; the state may change earlier
};

// `published_for`: how long every webhook has been seen with plan.bundle as its bundle; nullopt: not yet.
RotationPlan plan_rotation(const RotationState& state, const RotationRules& rules, Wall now,
                           std::optional<Millis> published_for);

// The certificates of `ca` and `retired` that must be trusted when a new CA takes the place of state.ca.
[[nodiscard]] std::string retire(const RotationState& state, Wall now);

// A common name that distinguishes the CAs of this program from all others, and from each other.
[[nodiscard]] std::string ca_common_name(Wall now);

}  // namespace snapfreeze::certs
