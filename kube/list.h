// A list in pages. Each page is reduced to what is needed before the next one is requested, because a namespace may
// hold thousands of large objects. Rests on the API concept "chunks" of the Kubernetes documentation.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kube/api.h"
#include "kube/rest.h"

namespace snapfreeze::kube {

// Objects in a page. With VirtualMachineInstances of 20 KB, that is 2 MB of JSON, and some 10 MB while it is read.
inline constexpr int kListPage = 100;

// Whether the page that failed is to be asked for again at once, because it was too large. `limit`, of the page, is
// then a tenth of what it was. Anybody can write objects of which a full page is too large. A page of one is not, as
// etcd takes objects of 1.5 MiB.
[[nodiscard]] bool ask_for_fewer(const Error& error, int& limit);

// One list. Says which request comes next and takes its result, but makes no call itself. Not thread-safe.
class PagedList {
 public:
  // `item` gets each object. `restart` says that all objects so far are void: the list begins anew, because its
  // continue token had expired.
  // `as_of`: a resourceVersion; the list shows that moment, and not the present. "": the present.
  PagedList(std::string collection, std::function<void(const Json&)> item, std::function<void()> restart,
            std::string as_of = "");

  [[nodiscard]] bool done() const { return done_; }
  // Of the last page that was taken: the moment that the list shows.
  [[nodiscard]] const std::string& resource_version() const { return resource_version_; }
  [[nodiscard]] Request next(Millis timeout) const;
  // A page that is too large is no error, but asked for again with a smaller limit, unless it is of one object.
  // Errors are those of kube/rest.h. kNotFound: the kind is not served. kGone: the list had to begin anew too often, or
  // the server has forgotten that moment (etcd is compacted every 5 minutes).
  // kTransient: also for a list that does not end: its pages had room for 200,000 objects.
  Result<void> take(const Result<Response>& reply);

 private:
  const std::string collection_;
  const std::function<void(const Json&)> item_;
  const std::function<void()> restart_;
  const std::string as_of_;
  std::string continue_;
  std::string resource_version_;
  int limit_ = kListPage;  // of the next page
  int restarts_ = 0;
  int asked_ = 0;  // objects that the pages so far had room for
  bool done_ = false;
};

// Reads the whole list, with `timeout` for each page.
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
