// Lists for the commands: in pages, with each object reduced to what is needed, and an error that names the kind.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kube/api.h"
#include "kube/list.h"
#include "kube/paths.h"

namespace snapfreeze::cli {

inline constexpr Millis kPageTimeout{10000};

// "cannot list pods: HTTP 403: ..." The same code and status.
[[nodiscard]] Error cannot_list(const kube::Resource& resource, const Error& error);

// Who asks is known, and may not see it. What else they may see is still worth showing.
[[nodiscard]] bool may_not(const Error& error);

// What `project` makes of each object of the kind in the namespace ("": in all), without the nullopts. A kind that is
// not served has no objects; `api` (cli/shared/look.h) has asked discovery. `selector`: of labels; "": any.
template <class Item>
Result<std::vector<Item>> list_some(kube::KubeApi& api, const kube::Resource& resource, const std::string& ns,
                                    const std::function<std::optional<Item>(const Json&)>& project,
                                    const std::string& selector = "") {
  std::vector<Item> found;
  kube::PagedList pages(
      selector.empty() ? kube::collection_path(resource, ns) : kube::labelled_path(resource, ns, selector),
      [&](const Json& object) {
        if (auto item = project(object)) found.push_back(std::move(*item));
      },
      [&] { found.clear(); });
  const auto listed = kube::list(api, pages, kPageTimeout);
  if (listed || listed.error().code == Code::kNotFound) return found;
  return cannot_list(resource, listed.error());
}

// All of them, as views.
template <class View>
Result<std::vector<View>> list_views(kube::KubeApi& api, const kube::Resource& resource, const std::string& ns,
                                     const std::string& selector = "") {
  return list_some<View>(
      api, resource, ns, [](const Json& object) { return std::optional<View>(View::from(object)); }, selector);
}

}  // namespace snapfreeze::cli
