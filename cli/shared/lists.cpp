#include "cli/shared/lists.h"

namespace snapfreeze::cli {

Error cannot_list(const kube::Resource& resource, const Error& error) {
  std::string kind(resource.plural);
  if (!resource.group.empty()) kind += "." + std::string(resource.group);
  return {error.code, "cannot list " + kind + ": " + error.message, error.http_status};
}

bool may_not(const Error& error) {
  constexpr int kForbidden = 403;  // 401: the credentials are bad
  return error.http_status == kForbidden;
}

}  // namespace snapfreeze::cli
