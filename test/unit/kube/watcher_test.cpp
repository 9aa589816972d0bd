#include "kube/watcher.h"

#include <algorithm>

#include "test/unit/kube/watcher_bench.h"

namespace snapfreeze::kube {
namespace {

std::string error_event(int code) {
  return R"({"type":"ERROR","object":{"kind":"Status","code":)" + std::to_string(code) + R"(,"message":"too old"}})";
}

TEST_CASE("A watcher lists page after page, then watches from there") {
  Bench bench("a=b");
  CHECK(bench.step().request.target == "/things?limit=100&labelSelector=a%3Db");
  bench.list(page({"a", "b"}, "10", "tok/2"));
  CHECK(bench.step().request.target == "/things?limit=100&labelSelector=a%3Db&continue=tok%2F2");
  bench.list(page({"c"}, "10"));
  CHECK(bench.sink.take() == Lines{"relist", "=a", "=b", "=c", "done"});
  CHECK(bench.step().request.target ==
        "/things?watch=true&allowWatchBookmarks=true&resourceVersion=10&timeoutSeconds=300&labelSelector=a%3Db");
}

TEST_CASE("An empty list that Go writes as null is a list") {
  Bench bench;
  bench.list(reply_of(200, R"({"metadata":{"resourceVersion":"10"},"items":null})"));
  CHECK(bench.sink.take() == Lines{"relist", "done"});
}

TEST_CASE("Events reach the sink, and the watch resumes after the last one") {
  Bench bench;
  bench.begin();
  bench.watch({event("ADDED", "a", "11"), event("MODIFIED", "a", "12"), event("DELETED", "a", "13")});
  CHECK(bench.sink.take() == Lines{"+a", "=a", "-a"});
  CHECK(bench.step().request.target.find("resourceVersion=13&") != std::string::npos);
  CHECK(bench.waited == Millis(0));
}

TEST_CASE("A bookmark moves the position and tells the sink nothing") {
  Bench bench;
  bench.begin();
  CHECK(bench.watch({event("BOOKMARK", "", "99")}));
  CHECK(bench.sink.take().empty());
  CHECK(bench.step().request.target.find("resourceVersion=99&") != std::string::npos);
}

TEST_CASE("An object that is nested too deeply spoils neither its list nor its watch") {
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  const std::string object = R"({"metadata":{"name":"a","resourceVersion":"11"},"spec":)" + deep + "}";
  Bench bench;
  bench.list(reply_of(200, R"({"metadata":{"resourceVersion":"10"},"items":[)" + object + "]}"));
  CHECK(bench.watch({R"({"type":"MODIFIED","object":)" + object + "}"}));
  CHECK(bench.sink.take() == Lines{"relist", "=a", "done", "=a"});
}

TEST_CASE("A version that is gone is listed anew, said in the status or in an event") {
  Bench bench;
  bench.begin();
  SECTION("status") {
    bench.watch({}, refused(410), Millis(1));
  }
  SECTION("event") {
    CHECK_FALSE(bench.watch({error_event(410)}, {}, Millis(1)));
  }
  CHECK(bench.step().kind == Kind::kList);
  CHECK(bench.waited == Watcher::kMinBackoff);
  CHECK(bench.sink.take().empty());
}

TEST_CASE("Any other ERROR event is trouble, and listed anew") {
  Bench bench;
  bench.begin();
  bench.watch({error_event(500)});
  CHECK(bench.step().kind == Kind::kList);
  CHECK(bench.sink.take() == Lines{"trouble: HTTP 500: too old"});
}

TEST_CASE("A watch that the server refuses is listed anew, for its version may never come") {
  Bench bench;
  bench.begin();
  bench.watch({}, refused(504), Millis(1));
  CHECK(bench.step().kind == Kind::kList);
}

TEST_CASE("A stream without an event or a bookmark is listed anew, for its version may be of another history") {
  Bench bench;
  bench.begin();
  SECTION("silent until it was given up") {
    bench.watch({}, {}, Watcher::kIdle);
  }
  SECTION("cut after its header") {
    bench.watch({}, lost(), Watcher::kWatchHeaderTimeout + Millis(5'000));
  }
  CHECK(bench.step().request.target == "/things?limit=100");
  CHECK(bench.waited == Millis(0));
  CHECK(bench.sink.take().empty());
  bench.list(page({}, "5"));
  CHECK(bench.step().request.target.find("resourceVersion=5&") != std::string::npos);
}

TEST_CASE("What an earlier stream showed does not count for a later one") {
  Bench bench;
  bench.begin();
  bench.watch({event("BOOKMARK", "", "11")});
  bench.watch({}, {}, Watcher::kIdle);
  CHECK(bench.step().kind == Kind::kList);
}

TEST_CASE("A stream whose header does not come is trouble") {
  Bench bench;
  bench.begin();
  bench.watch({}, lost(), Watcher::kWatchHeaderTimeout);
  CHECK(bench.sink.take() == Lines{"trouble: connection lost"});
  CHECK(bench.step().kind == Kind::kList);
  CHECK(bench.waited == Watcher::kMinBackoff);
}

TEST_CASE("A busy server is asked to resume, not to list") {
  Bench bench;
  bench.begin();
  const int status = GENERATE(429, 503);
  bench.watch({}, refused(status), Millis(1));
  CHECK(bench.step().kind == Kind::kWatch);
  CHECK(bench.waited == Watcher::kMinBackoff);
}

TEST_CASE("A stream that is cut after a while resumes at once, without a word") {
  Bench bench;
  bench.begin();
  bench.watch({event("ADDED", "a", "11")}, lost());
  CHECK(bench.step().request.target.find("resourceVersion=11&") != std::string::npos);
  CHECK(bench.waited == Millis(0));
  CHECK(bench.sink.take() == Lines{"+a"});
}

TEST_CASE("A stream that cannot be opened is trouble, said once until it changes or ends") {
  Bench bench;
  bench.begin();
  bench.watch({}, lost(), Millis(1));
  bench.list(lost());
  CHECK(bench.sink.take() == Lines{"trouble: connection lost"});
  bench.begin();
  bench.watch({}, lost(), Millis(1));
  bench.begin();
  bench.watch({}, refused(503), Millis(1));
  CHECK(bench.sink.take() == Lines{"trouble: refused"});
  bench.watch({event("BOOKMARK", "", "11"), event("BOOKMARK", "", "12")});
  CHECK(bench.sink.take() == Lines{"recovered"});
}

TEST_CASE("The trouble of a watch is not over because a list succeeds") {
  Bench bench;
  bench.begin();
  for (int i = 0; i < 3; ++i) {
    bench.watch({}, Error{Code::kForbidden, "no watch", 403}, Millis(1));
    bench.list(page({}, "10"));
  }
  CHECK(bench.sink.take() == Lines{"trouble: no watch", "relist", "done", "relist", "done", "relist", "done"});
}

TEST_CASE("A line that is no event breaks the stream, which resumes after the last good one") {
  const std::string line = GENERATE(as<std::string>(), "not JSON", "{\"type\":\"ADDED\",\"object\":{\"meta", "{}",
                                    R"({"type":"ADDED","object":{"metadata":{"name":"a"}}})",
                                    R"({"type":"NEWS","object":{"metadata":{"resourceVersion":"12"}}})");
  CAPTURE(line);
  Bench bench;
  bench.begin();
  CHECK_FALSE(bench.watch({event("ADDED", "a", "11"), line}));
  const Lines heard = bench.sink.take();
  REQUIRE(heard.size() == 2);
  CHECK(heard[1].rfind("trouble: ", 0) == 0);
  CHECK(bench.step().request.target.find("resourceVersion=11&") != std::string::npos);
  CHECK(bench.waited == Millis(100));
}

TEST_CASE("A kind that is not served is said once and asked again every minute") {
  Bench bench;
  bench.list(reply_of(404, ""));
  bench.list(reply_of(404, ""));
  CHECK(bench.waited == Watcher::kNotServedWait);
  CHECK(bench.sink.take() == Lines{"not served"});
  bench.list(page({"a"}, "10"));
  CHECK(bench.sink.take() == Lines{"relist", "=a", "done"});
}

TEST_CASE("A kind that is served no longer ends its watch") {
  Bench bench;
  bench.begin();
  bench.watch({}, Error{Code::kNotFound, "no such kind", 404}, Millis(1));
  bench.list(reply_of(404, ""));
  CHECK(bench.sink.take() == Lines{"trouble: no such kind", "recovered", "not served"});
}

// Runs until somebody says stop, and does not really wait.
class FakeClock : public Clock {
 public:
  [[nodiscard]] Wall wall() const override { return {}; }
  [[nodiscard]] Mono monotonic() const override { return now_; }
  bool wait_until(Mono deadline) override {
    if (turns_-- == 0) return false;
    now_ = std::max(now_, deadline);
    return true;
  }
  explicit FakeClock(int turns) : turns_(turns) {}

 private:
  int turns_;
  Mono now_{std::chrono::hours(1)};
};

TEST_CASE("The loop lists, watches and goes on until the API is stopping") {
  FakeApi api;
  api.replies.push_back(lost());
  api.replies.push_back(page({"a"}, "10"));
  api.streams.push_back({{event("DELETED", "a", "11")}, {}});
  FakeClock clock(1000);
  RecordingSink sink;
  Watcher watcher({"/things", ""}, sink, [] { return 0.0; });
  run_watch(api, clock, watcher);
  CHECK(sink.heard == Lines{"trouble: connection lost", "recovered", "relist", "=a", "done", "-a"});
  CHECK(api.requests.back().target.find("resourceVersion=11&") != std::string::npos);
}

TEST_CASE("The loop ends when the clock says stop") {
  FakeApi api;
  for (int i = 0; i < 100; ++i) api.replies.push_back(lost());
  FakeClock clock(10);
  RecordingSink sink;
  Watcher watcher({"/things", ""}, sink, [] { return 0.0; });
  run_watch(api, clock, watcher);
  CHECK(api.requests.size() < 10);
}

TEST_CASE("a watcher that always lists resumes no watch, however it ended") {
  RecordingSink sink;
  Watcher watcher({"/things", "", true}, sink, [] { return 0.0; });
  Mono now{std::chrono::hours(1)};
  const std::vector<Result<void>> ends = {Result<void>{}, lost()};
  for (const Result<void>& end : ends) {
    REQUIRE(watcher.next(now).kind == Kind::kList);
    watcher.on_list(page({"a"}, "10"), now);
    REQUIRE(watcher.next(now).kind == Kind::kWatch);
    now += std::chrono::seconds(60);
    watcher.on_end(end, now);
    now += std::chrono::seconds(60);
  }
  CHECK(watcher.next(now).kind == Kind::kList);
}

}  // namespace
}  // namespace snapfreeze::kube
