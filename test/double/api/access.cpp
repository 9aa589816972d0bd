#include "test/double/api/access.h"

#include <algorithm>

namespace cluster {
namespace {

bool covers(const std::string& entry, const std::string& value) {
  return entry.empty() || entry == value;
}

bool starts_with(const std::string& text, const std::string& beginning) {
  return text.rfind(beginning, 0) == 0;
}

bool is_change(const std::string& verb) {
  return verb == "create" || verb == "update" || verb == "patch" || verb == "delete";
}

// An access review that names no object.
bool asks_for_all(const Denial& attempt) {
  return attempt.verb == "update" && attempt.name.empty();
}

// What no tenant's role grants.
bool is_beyond_tenants(const Denial& attempt) {
  const std::string kOneNamespace = "tenant-of-";
  const bool of_one = starts_with(attempt.user, kOneNamespace);
  if ((attempt.user != "tenant" && !of_one) || !is_change(attempt.verb)) return false;
  if (attempt.group == "authorization.k8s.io") return false;
  if (of_one) return attempt.ns != attempt.user.substr(kOneNamespace.size());
  for (const char* system : {"kube-", "snapfreeze", "harvester-system", "longhorn-system"}) {
    if (starts_with(attempt.ns, system)) return true;
  }
  return attempt.ns.empty();
}

}  // namespace

bool Access::allowed(const Denial& attempt) const {
  return !is_beyond_tenants(attempt) && std::none_of(denials_.begin(), denials_.end(), [&](const Denial& denial) {
    return covers(denial.user, attempt.user) && covers(denial.verb, attempt.verb) &&
           covers(denial.group, attempt.group) && covers(denial.resource, attempt.resource) &&
           covers(denial.ns, attempt.ns) && (covers(denial.name, attempt.name) || asks_for_all(attempt));
  });
}

}  // namespace cluster
