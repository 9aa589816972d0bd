// The kinds the API server serves.
#pragma once

#include <deque>
#include <string>

#include "test/double/api/http.h"

namespace cluster {

struct ResourceType {
  std::string group, version, resource, kind;
  bool namespaced = true;
  bool has_status = false;  // the /status subresource
  bool served = true;

  [[nodiscard]] std::string api_version() const { return group.empty() ? version : group + "/" + version; }
  [[nodiscard]] std::string group_resource() const { return group.empty() ? resource : resource + "." + group; }
};

class Resources {
 public:
  Resources();

  // nullptr when the kind is unknown or switched off. `version` empty: whichever there is.
  [[nodiscard]] const ResourceType* find(const std::string& group, const std::string& version,
                                         const std::string& resource) const;
  // Throws std::out_of_range when the kind is unknown, switched off or not.
  [[nodiscard]] const ResourceType& at(const std::string& group, const std::string& resource) const;
  void serve(const std::string& group, const std::string& resource, bool served);
  // Another version of the kind is served instead; the objects stay, as they do in etcd.
  void serve_version(const std::string& group, const std::string& resource, const std::string& version);
  [[nodiscard]] const std::deque<ResourceType>& all() const { return types_; }

  // The reply to GET /api, /apis, /api/v1, /apis/{group}, /apis/{group}/{version}; 404 when nothing of it is served.
  [[nodiscard]] Reply discover(const std::string& path) const;

 private:
  ResourceType& need(const std::string& group, const std::string& resource);

  std::deque<ResourceType> types_;  // addresses stay
};

}  // namespace cluster
