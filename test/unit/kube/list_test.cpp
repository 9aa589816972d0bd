#include "kube/list.h"

#include "test/support/catch.h"
#include "test/unit/kube/fake_api.h"

namespace snapfreeze::kube {
namespace {

std::string page_of(std::initializer_list<const char*> names, const std::string& next) {
  Json items = Json::array();
  for (const char* name : names) items.push(Json::object({{"metadata", Json::object({{"name", name}})}}));
  return Json::object({{"metadata", Json::object({{"continue", next}})}, {"items", items}}).dump();
}

auto names_in(FakeApi& api) {
  return list_all(api, "/apis/x/v1/things?labelSelector=a",
                  [](const Json& item) { return item["metadata"]["name"].string(); });
}

TEST_CASE("a list is asked for page by page") {
  FakeApi api;
  api.replies = {reply_of(200, page_of({"a", "b"}, "to ken")), reply_of(200, page_of({"c"}, ""))};
  const auto names = names_in(api);
  REQUIRE(names);
  CHECK(*names == std::vector<std::string>{"a", "b", "c"});
  REQUIRE(api.requests.size() == 2);
  CHECK(api.requests[0].target == "/apis/x/v1/things?labelSelector=a&limit=100");
  CHECK(api.requests[1].target == "/apis/x/v1/things?labelSelector=a&limit=100&continue=to%20ken");
}

TEST_CASE("a list of a moment names it on its first page") {
  FakeApi api;
  api.replies = {reply_of(200, page_of({"a"}, "t")), reply_of(410, "{}"), reply_of(200, page_of({"b"}, ""))};
  std::vector<std::string> names;
  PagedList pages(
      "/api/v1/pods", [&](const Json& item) { names.push_back(item["metadata"]["name"].string()); },
      [&] { names.clear(); }, "7");
  REQUIRE(list(api, pages));
  CHECK(names == std::vector<std::string>{"b"});
  const std::string first = "/api/v1/pods?limit=100&resourceVersion=7&resourceVersionMatch=Exact";
  CHECK(api.requests[0].target == first);
  CHECK(api.requests[1].target == "/api/v1/pods?limit=100&continue=t");
  CHECK(api.requests[2].target == first);
}

TEST_CASE("a list whose token has expired begins anew, and not for ever") {
  FakeApi api;
  SECTION("once") {
    api.replies = {reply_of(200, page_of({"a"}, "t")), reply_of(410, "{}"), reply_of(200, page_of({"b"}, ""))};
    const auto names = names_in(api);
    REQUIRE(names);
    CHECK(*names == std::vector<std::string>{"b"});
  }
  SECTION("again and again") {
    for (int i = 0; i < 20; ++i) {
      api.replies.push_back(reply_of(200, page_of({"a"}, "t")));
      api.replies.push_back(reply_of(410, "{}"));
    }
    const auto names = names_in(api);
    REQUIRE_FALSE(names);
    CHECK(names.error().code == Code::kGone);
    CHECK(api.requests.size() == 8);
  }
}

TEST_CASE("a list that is none, is refused or not served is an error") {
  FakeApi api;
  api.replies = {reply_of(200, R"({"items": "none"})"), reply_of(403, "{}"), reply_of(404, "{}")};
  CHECK(names_in(api).error().code == Code::kTransient);
  CHECK(names_in(api).error().code == Code::kForbidden);
  CHECK(names_in(api).error().code == Code::kNotFound);
}

TEST_CASE("a page that is too large is asked for again with a smaller limit, and the rest as well") {
  FakeApi api;
  api.replies = {reply_of(200, page_of({"a"}, "t")), reply_of_too_many_values(), reply_of_too_many_bytes(),
                 reply_of(200, page_of({"b"}, "u")), reply_of(200, page_of({"c"}, ""))};
  const auto names = names_in(api);
  REQUIRE(names);
  CHECK(*names == std::vector<std::string>{"a", "b", "c"});
  const std::string list = "/apis/x/v1/things?labelSelector=a&limit=";
  CHECK(api.requests[1].target == list + "100&continue=t");
  CHECK(api.requests[2].target == list + "10&continue=t");
  CHECK(api.requests[3].target == list + "1&continue=t");
  CHECK(api.requests[4].target == list + "1&continue=u");
}

TEST_CASE("a page of one object that is too large is an error") {
  FakeApi api;
  for (int i = 0; i < 4; ++i) api.replies.emplace_back(reply_of_too_many_bytes());
  CHECK(names_in(api).error().code == Code::kTransient);
  CHECK(api.requests.size() == 3);
}

TEST_CASE("a list in pages of one object may be as long as any other") {
  FakeApi api;
  api.replies = {reply_of_too_many_bytes(), reply_of_too_many_bytes()};
  for (int i = 0; i < 3000; ++i) api.replies.emplace_back(reply_of(200, page_of({"a"}, i < 2999 ? "more" : "")));
  const auto names = names_in(api);
  REQUIRE(names);
  CHECK(names->size() == 3000);
}

TEST_CASE("an object that is nested too deeply does not spoil its list") {
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  FakeApi api;
  api.replies = {
      reply_of(200, R"({"items":[{"metadata":{"name":"a"},"spec":)" + deep + R"(},{"metadata":{"name":"b"}}]})")};
  const auto names = names_in(api);
  REQUIRE(names);
  CHECK(*names == std::vector<std::string>{"a", "b"});
}

TEST_CASE("a list without an end is given up") {
  FakeApi api;
  for (int i = 0; i < 3000; ++i) api.replies.push_back(reply_of(200, page_of({"a"}, "more")));
  CHECK(names_in(api).error().message == "the list has no end");
}

}  // namespace
}  // namespace snapfreeze::kube
