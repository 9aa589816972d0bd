#include "kube/discovery.h"

#include <algorithm>
#include <vector>

namespace snapfreeze::kube {
namespace {

// The preferred version first, even though the list names it again.
std::vector<std::string> versions_of(const Json& group) {
  std::vector<std::string> versions;
  const auto add = [&](const std::string& version) {
    const bool known = std::ranges::find(versions, version) != versions.end();
    if (!version.empty() && !known && versions.size() < kMaxVersions) versions.push_back(version);
  };
  add(group["preferredVersion"]["version"].string());
  for (const Json& version : group["versions"].items()) add(version["version"].string());
  return versions;
}

bool lists(const Json& resources, std::string_view plural) {
  return std::ranges::any_of(resources["resources"].items(),
                             [&](const Json& resource) { return resource["name"].string() == plural; });
}

}  // namespace

Result<std::optional<std::string>> served_version(KubeApi& api, const Resource& resource, Millis timeout) {
  const std::string group_path = "/apis/" + percent_encode(resource.group);
  const auto group = get(api, group_path, timeout);
  if (!group) {
    if (group.error().code == Code::kNotFound) return std::optional<std::string>();
    return group.error();
  }
  for (const std::string& version : versions_of(*group)) {
    const auto resources = get(api, group_path + "/" + percent_encode(version), timeout);
    // The group named it, and it was gone a moment later.
    if (!resources && resources.error().code == Code::kNotFound) continue;
    if (!resources) return resources.error();
    if (lists(*resources, resource.plural)) return std::optional<std::string>(version);
  }
  return std::optional<std::string>();
}

}  // namespace snapfreeze::kube
