#include "kube/replay.h"

#include "test/support/catch.h"
#include "test/support/real_clock.h"
#include "test/unit/kube/fake_api.h"

using namespace snapfreeze;
using namespace snapfreeze::kube;

namespace {

std::string event(const std::string& type, const std::string& name, int version) {
  return R"({"type":")" + type + R"(","object":{"metadata":{"name":")" + name + R"(","resourceVersion":")" +
         std::to_string(version) + R"("}}})";
}

struct Replayed {
  FakeApi api;
  std::vector<std::string> names;

  Result<void> run(std::vector<std::string> lines, const std::string& since = "5", const std::string& until = "9",
                   const std::string& newest = "") {
    if (!lines.empty()) api.streams.push_back({std::move(lines), {}});
    return replay(api, clock, {"/api/v1/namespaces/n/pods", since, until, newest},
                  [this](const Json& object) { names.push_back(object["metadata"]["name"].string()); });
  }
  test::RealClock clock;
};

}  // namespace

TEST_CASE("a replay hands over what came and went, and ends where the list was made") {
  Replayed replayed;
  const auto end = replayed.run(
      {event("ADDED", "a", 6), event("BOOKMARK", "", 7), event("DELETED", "a", 9), event("ADDED", "later", 10)});
  CHECK(end.ok());
  CHECK(replayed.names == std::vector<std::string>{"a", "a"});
  CHECK(replayed.api.requests.at(0).target ==
        "/api/v1/namespaces/n/pods?watch=true&allowWatchBookmarks=true&resourceVersion=5&timeoutSeconds=10");
}

TEST_CASE("nothing is asked for when nothing has happened") {
  Replayed replayed;
  CHECK(replayed.run({}, "9", "9").ok());
  CHECK(replayed.api.requests.empty());
}

TEST_CASE("a watch that is silent before the newest object of the list came is behind") {
  Replayed replayed;
  SECTION("it says nothing") {
    CHECK(!replayed.run({event("ADDED", "a", 6)}, "5", "9", "8").ok());
  }
  SECTION("it came") {
    CHECK(replayed.run({event("ADDED", "a", 6), event("MODIFIED", "b", 8)}, "5", "9", "8").ok());
  }
  SECTION("it is older") {
    CHECK(replayed.run({event("DELETED", "a", 6)}, "5", "9", "4").ok());
  }
  SECTION("it was listed before a restore of etcd") {
    CHECK(replayed.run({event("DELETED", "a", 6)}, "5", "9", "10").ok());
  }
  SECTION("no version at all") {
    CHECK(!replayed.run({event("ADDED", "a", 6)}, "5", "9", "x").ok());
  }
}

TEST_CASE("a moment that is forgotten, or after the list, is an error") {
  Replayed replayed;
  const auto forgotten = replayed.run({R"({"type":"ERROR","object":{"code":410,"message":"too old"}})"});
  REQUIRE(!forgotten.ok());
  CHECK(forgotten.error().code == Code::kGone);
  CHECK(!replayed.run({}, "10", "9").ok());
  CHECK(!replayed.run({}, "x", "9").ok());
  CHECK(!replayed.run({}, "5", "").ok());
}

TEST_CASE("a line that is no event ends a replay in an error, so that nothing is missed unseen") {
  const std::string line = GENERATE(as<std::string>(), "not JSON", "{}", R"({"type":"ADDED","object":{}})",
                                    R"({"type":"NEWS","object":{"metadata":{"resourceVersion":"12"}}})");
  CAPTURE(line);
  Replayed replayed;
  const auto end = replayed.run({event("ADDED", "a", 6), line});
  REQUIRE(!end.ok());
  CHECK(end.error().code == Code::kTransient);
  CHECK(replayed.names == std::vector<std::string>{"a"});
}

TEST_CASE("versions are compared as numbers") {
  CHECK(is_not_after("9", "10"));
  CHECK(is_not_after("10", "10"));
  CHECK(!is_not_after("10", "9"));
  CHECK(!is_not_after("", "9"));
  CHECK(!is_not_after("9", "9x"));
}
