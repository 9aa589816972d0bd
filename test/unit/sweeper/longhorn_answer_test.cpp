#include "sweeper/longhorn/answer.h"
#include "test/support/catch.h"

namespace longhorn_answer_test {

using namespace snapfreeze;
using namespace snapfreeze::sweeper;
using Says = LiveAnswer::Says;

namespace {

constexpr char kUid[] = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";
// As Longhorn answers.
constexpr char kCut[] = R"({"id":"snapshot-0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9","type":"snapshot",
  "name":"snapshot-0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9","created":"2026-11-29T02:30:00Z","usercreated":true,
  "removed":false,"parent":"snapshot-1","children":{"volume-head":true},"size":"0","labels":{"type":"snap"},
  "checksum":""})";

Says said(const std::string& body, int status = 200, std::string_view uid = kUid) {
  return read_answer({status, body}, uid).says;
}

std::string with(const std::string& what, const std::string& instead) {
  std::string body = kCut;
  const auto found = body.rfind(what);
  REQUIRE(found != std::string::npos);
  return body.replace(found, what.size(), instead);
}

}  // namespace

TEST_CASE("the very snapshot, made by a user and not removed, is a cut, with the engine's time of it") {
  const LiveAnswer answer = read_answer({200, kCut}, kUid);
  CHECK(answer.says == Says::kCut);
  CHECK(answer.created == Wall(std::chrono::seconds(1795919400)));
  CHECK(read_answer({200, with("02:30:00Z", "02:30:00.999Z")}, kUid).created == answer.created);
}

TEST_CASE("Longhorn's own error says: not yet") {
  CHECK(said(R"({"type":"error","status":500,"code":"Server Error","message":"failed to get snapshot: cannot find …"})",
             500) == Says::kNotYet);
}

TEST_CASE("anything else says nothing") {
  CHECK(said("", 200) == Says::kNothing);
  CHECK(said("[]") == Says::kNothing);
  CHECK(said("null") == Says::kNothing);
  CHECK(said("<html>502 Bad Gateway</html>", 502) == Says::kNothing);
  CHECK(said("<html>500</html>", 500) == Says::kNothing);
  CHECK(said(R"({"type":"error"})", 503) == Says::kNothing);
  CHECK(said(R"({"type":"error"})", 404) == Says::kNothing);
  CHECK(said(kCut, 201) == Says::kNothing);
  CHECK(said(kCut, 500) == Says::kNothing);
  CHECK(said(kCut, 200, "another") == Says::kNothing);
  CHECK(said(kCut, 200, "") == Says::kNothing);
  CHECK(said(R"({"name":"snapshot-","usercreated":true,"removed":false,"created":"2026-11-29T02:30:00Z"})", 200, "") ==
        Says::kNothing);
  CHECK(said(std::string(kCut) + "}") == Says::kNothing);
  CHECK(said(with("\"name\":\"snapshot-0", "\"name\":\"snapshot-1")) == Says::kNothing);
}

TEST_CASE("what is removed, was made by the system, or does not say when, is no capture") {
  CHECK(said(with("\"removed\":false", "\"removed\":true")) == Says::kNothing);
  CHECK(said(with("\"removed\":false", "\"removed\":null")) == Says::kNothing);
  CHECK(said(with("\"removed\":false,", "")) == Says::kNothing);
  CHECK(said(with("\"removed\":false", "\"removed\":\"false\"")) == Says::kNothing);
  CHECK(said(with("\"usercreated\":true", "\"usercreated\":false")) == Says::kNothing);
  CHECK(said(with("\"usercreated\":true", "\"usercreated\":\"true\"")) == Says::kNothing);
  CHECK(said(with("\"usercreated\":true", "\"usercreated\":true,\"usercreated\":true")) == Says::kNothing);
  CHECK(said(with("\"2026-11-29T02:30:00Z\"", "\"\"")) == Says::kNothing);
  CHECK(said(with("\"2026-11-29T02:30:00Z\"", "1795919400")) == Says::kNothing);
}

TEST_CASE("an answer that is too long is not read") {
  std::string body = kCut;
  body.resize(kLongestAnswer, ' ');
  CHECK(said(body) == Says::kCut);
  CHECK(said(body + " ") == Says::kNothing);
}

}  // namespace longhorn_answer_test
