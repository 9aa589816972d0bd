#include "test/cluster/access.h"

#include <algorithm>

namespace cluster {
namespace {

bool covers(const std::string& entry, const std::string& value) {
  return entry.empty() || entry == value;
}

}  // namespace

bool Access::allowed(const Denial& attempt) const {
  return std::none_of(denials_.begin(), denials_.end(), [&](const Denial& denial) {
    return covers(denial.user, attempt.user) && covers(denial.verb, attempt.verb) &&
           covers(denial.group, attempt.group) && covers(denial.resource, attempt.resource) &&
           covers(denial.ns, attempt.ns) && covers(denial.name, attempt.name);
  });
}

}  // namespace cluster
