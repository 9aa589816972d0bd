#include "test/double/api/owners.h"

#include <algorithm>

namespace cluster {
namespace {

std::string uid_of(const ObjectRef& object) {
  return object->json["metadata"].value("uid", "");
}

std::vector<std::string> owners_of(const ObjectRef& object) {
  std::vector<std::string> uids;
  const auto owners = object->json["metadata"].find("ownerReferences");
  if (owners == object->json["metadata"].end()) return uids;
  for (const Json& owner : *owners) uids.push_back(owner.value("uid", ""));
  return uids;
}

}  // namespace

void Owners::replace(const Child& child, const ObjectRef& before, const ObjectRef& after) {
  if (before != nullptr) {
    for (const std::string& uid : owners_of(before)) children_[uid].erase(child);
    if (after == nullptr) uids_.erase(uid_of(before));
  }
  if (after != nullptr) {
    for (const std::string& uid : owners_of(after)) children_[uid].insert(child);
    if (before == nullptr) uids_.insert(uid_of(after));
  }
}

bool Owners::is_orphan(const ObjectRef& object) const {
  const auto owners = owners_of(object);
  return !owners.empty() && std::ranges::none_of(owners, [&](const std::string& uid) { return uids_.count(uid) != 0; });
}

std::set<Owners::Child> Owners::take_children(const std::string& uid) {
  const auto found = children_.find(uid);
  if (found == children_.end()) return {};
  auto children = std::move(found->second);
  children_.erase(found);
  return children;
}

void Owners::clear() {
  uids_.clear();
  children_.clear();
}

}  // namespace cluster
