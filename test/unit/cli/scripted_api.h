// A KubeApi that answers what it was told to: objects, lists in pages of its own size, refusals. Anything else is 404.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "kube/api.h"
#include "kube/paths.h"

namespace test {

class ScriptedApi : public snapfreeze::kube::KubeApi {
 public:
  // A GET of that path, without a query, is answered with this object.
  void put(const std::string& path, const snapfreeze::Json& object) { objects_[path] = object; }
  // The collection, of one namespace or of all, holds these, too.
  void add(const snapfreeze::kube::Resource& resource, const std::string& ns,
           const std::vector<snapfreeze::Json>& items);
  // Everything whose path holds `part` is answered with this status.
  void refuse(const std::string& part, int status = 403) { refusals_[part] = status; }
  // Discovery knows the group, with one kind in each of these versions; the first one is preferred.
  void serve(const std::string& group, const std::vector<std::string>& versions, const std::string& plural);

  snapfreeze::Result<snapfreeze::kube::Response> call(const snapfreeze::kube::Request& request) override;
  snapfreeze::Result<void> stream(const snapfreeze::kube::Request& request, snapfreeze::Millis idle,
                                  const snapfreeze::kube::LineSink& sink) override;

  [[nodiscard]] int calls_of(const std::string& part) const;  // whose target holds it
  std::vector<snapfreeze::kube::Request> calls;
  std::size_t longest_list = 0;  // items in one reply

 private:
  std::string page(const std::vector<snapfreeze::Json>& items, const std::string& query);

  std::map<std::string, snapfreeze::Json> objects_;
  std::map<std::string, std::vector<snapfreeze::Json>> lists_;
  std::map<std::string, int> refusals_;
};

}  // namespace test
