// The rights that webhook, sweeper and an admin need in the cluster. The chart's rules grant the first two the same.
// Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace snapfreeze::cli {

struct Right {
  std::string_view verb;
  std::string_view group;
  std::string_view resource;   // with its subresource: "virtualmachineinstances/freeze"
  bool own = false;            // in snapfreeze's own namespace; otherwise in all namespaces, or for kinds without one
  std::string_view name = {};  // "": any
};

[[nodiscard]] std::span<const Right> webhook_rights();
[[nodiscard]] std::span<const Right> sweeper_rights();
// The sweeper's as well, if the certificates are snapfreeze's own.
[[nodiscard]] std::span<const Right> keeper_rights();
// For anyone who calls status, thaw and explain.
[[nodiscard]] std::span<const Right> admin_rights();

// "update virtualmachineinstances/freeze.subresources.kubevirt.io"
[[nodiscard]] std::string to_string(const Right& right);

// A SubjectAccessReview of that user; a SelfSubjectAccessReview if `user` is "".
[[nodiscard]] Json access_review(const Right& right, const std::string& own_namespace, const std::string& user);

}  // namespace snapfreeze::cli
