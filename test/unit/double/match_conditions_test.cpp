#include "test/double/api/match_conditions.h"

#include <stdexcept>

#include "test/double/face/base64.h"
#include "test/support/catch.h"

using namespace cluster;

TEST_CASE("match conditions are read as CEL reads them") {
  const Json object = {
      {"metadata",
       {{"labels", {{"a/b", "1"}}},
        {"ownerReferences", Json::array({{{"kind", "X"}, {"apiVersion", "g/v1"}, {"controller", true}}})}}},
      {"spec", {{"source", {{"pvc", "p"}}}}}};
  const auto holds = [&](const std::string& expression) { return match_condition(expression, object); };
  CHECK(holds("has(object.metadata.labels) && 'a/b' in object.metadata.labels"));
  CHECK_FALSE(holds("'c' in object.metadata.labels"));
  CHECK(holds(
      "object.metadata.ownerReferences.exists(o, o.kind == 'X' && o.apiVersion.startsWith('g/') && o.controller)"));
  CHECK_FALSE(holds("object.metadata.ownerReferences.exists(o, o.kind == 'Y')"));
  CHECK(holds("!has(object.spec.source.content) && (has(object.none) || object.spec.source.pvc == 'p')"));
  CHECK_THROWS_AS(holds("object.metadata.name.size() > 3"), std::invalid_argument);
}

TEST_CASE("base64 goes both ways, and refuses what it is not") {
  for (const std::string& text :
       {std::string(), std::string("a"), std::string("ab"), std::string("abc"), std::string("\xff\x00\x10z", 4)}) {
    CHECK(base64_decode(base64_encode(text)) == text);
  }
  CHECK(base64_encode("any carnal pleas") == "YW55IGNhcm5hbCBwbGVhcw==");
  CHECK_FALSE(base64_decode("YW5"));
  CHECK_FALSE(base64_decode("YW5!"));
  CHECK_FALSE(base64_decode("Y=W5"));
}
