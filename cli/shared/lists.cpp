#include "cli/shared/lists.h"

namespace snapfreeze::cli {

Error cannot_list(const kube::Resource& resource, const Error& error) {
  std::string kind(resource.plural);
  if (!resource.group.empty()) kind += "." + std::string(resource.group);
  return {error.code, "cannot list " + kind + ": " + error.message, error.http_status};
}

}  // namespace snapfreeze::cli
