#include "base/hash.h"

#include "test/support/catch.h"

namespace snapfreeze {
namespace {

// http://www.isthe.com/chongo/tech/comp/fnv: its test vectors.
TEST_CASE("FNV-1a is that of its authors") {
  STATIC_REQUIRE(fnv1a("") == 0xcbf29ce484222325ULL);
  STATIC_REQUIRE(fnv1a("a") == 0xaf63dc4c8601ec8cULL);
  STATIC_REQUIRE(fnv1a("foobar") == 0x85944171f73967e8ULL);
  CHECK(fnv1a("\xff") == 0xaf64724c8602eb6eULL);
}

TEST_CASE("From another start it is another hash") {
  CHECK(fnv1a("a", 1) != fnv1a("a"));
}

}  // namespace
}  // namespace snapfreeze
