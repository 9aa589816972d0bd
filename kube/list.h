// A list in pages, each of which is cut down to what is wanted before the next one is asked for: a namespace may hold
// thousands of large objects. Rests on the API concept "chunks" of the Kubernetes documentation.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kube/api.h"
#include "kube/rest.h"

namespace snapfreeze::kube {

// Objects a page. A VirtualMachineInstance of 20 KB makes that 2 MB of JSON, and some 10 MB while it is read.
inline constexpr int kListPage = 100;

// One list. Says which request comes next and is told what came of it; makes no call. Not thread-safe.
class PagedList {
 public:
  // `item` is given each object. `restart`: what was given so far is void, as the list begins anew: its continue token
  // had expired.
  PagedList(std::string collection, std::function<void(const Json&)> item, std::function<void()> restart);

  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] Request next(Millis timeout) const;
  // Errors are those of kube/rest.h, kNotFound for a kind that is not served, kGone when the list had to begin anew
  // too often, and kTransient also for a list without an end.
  Result<void> take(const Result<Response>& reply);

 private:
  const std::string collection_;
  const std::function<void(const Json&)> item_;
  const std::function<void()> restart_;
  std::string continue_;
  int restarts_ = 0;
  int pages_ = 0;
  bool done_ = false;
};

// All of it, `timeout` a page.
Result<void> list(KubeApi& api, PagedList& list, Millis timeout = kCallTimeout);

// Collects what `project` makes of each object.
template <class Project>
auto list_all(KubeApi& api, std::string collection, const Project& project, Millis timeout = kCallTimeout)
    -> Result<std::vector<decltype(project(std::declval<const Json&>()))>> {
  std::vector<decltype(project(std::declval<const Json&>()))> found;
  PagedList pages(
      std::move(collection), [&](const Json& item) { found.push_back(project(item)); }, [&] { found.clear(); });
  if (const auto listed = list(api, pages, timeout); !listed) return listed.error();
  return found;
}

}  // namespace snapfreeze::kube
