// Which objects exist, and which name an owner: what the garbage collector goes by.
#pragma once

#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "test/double/api/resources.h"
#include "test/double/api/watch_log.h"

namespace cluster {

using ObjectKey = std::pair<std::string, std::string>;  // namespace ("" for cluster-wide kinds), name

class Owners {
 public:
  using Child = std::pair<const ResourceType*, ObjectKey>;

  // One object in place of another of the same key; either may be nullptr.
  void replace(const Child& child, const ObjectRef& before, const ObjectRef& after);
  // It has owners, and none of them exists.
  [[nodiscard]] bool is_orphan(const ObjectRef& object) const;
  // The objects that name this one as an owner; they are asked for once.
  std::set<Child> take_children(const std::string& uid);
  void clear();

 private:
  std::set<std::string> uids_;
  std::unordered_map<std::string, std::set<Child>> children_;  // by the owner's uid
};

}  // namespace cluster
