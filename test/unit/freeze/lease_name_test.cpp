#include <set>

#include "freeze/lease.h"
#include "test/support/catch.h"

using snapfreeze::freeze::lease_name;

namespace {

// RFC 1123 subdomain, as the API server checks it.
bool valid_name(const std::string& name) {
  const auto is_alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (name.empty() || name.size() > 253) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool at_edge = i == 0 || i + 1 == name.size() || name[i - 1] == '.' || name[i + 1] == '.';
    if (is_alphanumeric(name[i]) || (!at_edge && (name[i] == '-' || name[i] == '.'))) continue;
    return false;
  }
  return true;
}

const std::string kNamespace = "team-a";
std::string vm_of_length(std::size_t length) {
  return std::string(length - 1, 'v') + "1";
}

}  // namespace

TEST_CASE("a lease is called after its guest") {
  CHECK(lease_name("team-a", "db") == "team-a.db");
  CHECK(lease_name("team-a", "db.prod.example") == "team-a.db.prod.example");
}

TEST_CASE("a name of 253 characters is kept") {
  const std::string vm = vm_of_length(253 - kNamespace.size() - 1);
  CHECK(lease_name(kNamespace, vm) == kNamespace + "." + vm);
}

TEST_CASE("a longer name is shortened to a valid one that still differs") {
  std::set<std::string> names;
  for (const char* last : {"0", "1", "2"}) {
    const std::string name = lease_name(kNamespace, vm_of_length(253) + last);
    CHECK(valid_name(name));
    CHECK(name.size() == 253);
    names.insert(name);
  }
  CHECK(names.size() == 3);
}

TEST_CASE("a name stays valid wherever it is cut") {
  for (const char character : {'.', '-', 'a'}) {
    // Dots and dashes at each place, two of them never beside each other.
    std::string vm;
    while (vm.size() < 252) (vm += 'v') += character;
    vm.back() = 'v';
    for (std::size_t shift = 0; shift < 3; ++shift) {
      const std::string name = lease_name(std::string(61 + shift, 'n'), vm);
      CAPTURE(name);
      CHECK(valid_name(name));
    }
  }
}

TEST_CASE("two guests never share a name, as a namespace has no dot") {
  CHECK(lease_name("a", "b.c") != lease_name("a-b", "c"));
  CHECK(lease_name("a", "b-c") != lease_name("a-b", "c"));
}
