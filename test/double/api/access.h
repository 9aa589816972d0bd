// Who may do what: everyone everything, but for the entries of one table, and for tenants. "tenant" changes things in
// the namespaces of users only, "tenant-of-<namespace>" in that one only. Asked by SubjectAccessReviews, and for each
// call.
#pragma once

#include <string>
#include <vector>

namespace cluster {

// Empty fields match anything.
struct Denial {
  std::string user;
  std::string verb;  // get list watch create update patch delete
  std::string group;
  std::string resource;  // with its subresource: "virtualmachineinstances/freeze"
  std::string ns;
  std::string name;
};

// The caller of all members holds the runtime's lock.
class Access {
 public:
  void deny(Denial denial) { denials_.push_back(std::move(denial)); }
  void clear() { denials_.clear(); }
  [[nodiscard]] bool allowed(const Denial& attempt) const;

 private:
  std::vector<Denial> denials_;
};

}  // namespace cluster
