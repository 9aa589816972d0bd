// What a watcher makes of the pages of its lists.
#include "test/unit/kube/watcher_bench.h"

namespace snapfreeze::kube {
namespace {

TEST_CASE("A token that expires between pages starts the list anew, without a word") {
  Bench bench;
  bench.list(page({"a"}, "10", "2"));
  bench.list(reply_of(410, ""));
  CHECK(bench.step().request.target == "/things?limit=100");
  CHECK(bench.waited == Watcher::kMinBackoff);
  bench.list(page({"b"}, "20"));
  CHECK(bench.sink.take() == Lines{"relist", "=a", "relist", "=b", "done"});
}

TEST_CASE("A page that is too large is asked for again at once with a smaller limit, until the list is done") {
  Bench bench;
  bench.list(page({"a"}, "10", "2"));
  bench.list(reply_of_too_many_values());
  CHECK(bench.step().request.target == "/things?limit=10&continue=2");
  CHECK(bench.waited == Millis(0));
  bench.list(reply_of_too_many_bytes());
  CHECK(bench.step().request.target == "/things?limit=1&continue=2");
  CHECK(bench.waited == Millis(0));
  bench.list(page({"b"}, "10", "3"));
  CHECK(bench.step().request.target == "/things?limit=1&continue=3");
  bench.list(page({"c"}, "10"));
  CHECK(bench.sink.take() == Lines{"relist", "=a", "=b", "=c", "done"});
  bench.watch({}, refused(410));
  CHECK(bench.step().request.target == "/things?limit=100");
}

TEST_CASE("A page of one object that is too large is trouble") {
  Bench bench;
  for (int i = 0; i < 3; ++i) bench.list(reply_of_too_many_bytes());
  CHECK(bench.sink.take() == Lines{"trouble: over 16 MiB"});
  bench.step();
  CHECK(bench.waited == Watcher::kMinBackoff);
}

TEST_CASE("A token that the server cannot answer starts the list anew, one that a busy server does not is kept") {
  const auto [status, target] = GENERATE(table<int, std::string>({{504, "/things?limit=100"},
                                                                  {500, "/things?limit=100"},
                                                                  {400, "/things?limit=100"},
                                                                  {429, "/things?limit=100&continue=2"},
                                                                  {503, "/things?limit=100&continue=2"}}));
  Bench bench;
  bench.list(page({"a"}, "10", "2"));
  bench.list(reply_of(status, ""));
  CHECK(bench.step().request.target == target);
  CHECK(bench.waited == Watcher::kMinBackoff);
}

TEST_CASE("A page that fails is asked again, not the pages before it") {
  Bench bench;
  bench.list(page({"a"}, "10", "2"));
  bench.list(lost());
  CHECK(bench.step().request.target == "/things?limit=100&continue=2");
  bench.list(page({"b"}, "10"));
  CHECK(bench.sink.take() == Lines{"relist", "=a", "trouble: connection lost", "recovered", "=b", "done"});
}

TEST_CASE("A reply that is no list is trouble") {
  const std::string body = GENERATE(as<std::string>(), "{}", "[]", R"({"items":[]})",
                                    R"({"metadata":{"resourceVersion":"1"},"items":{}})", "<html>");
  CAPTURE(body);
  Bench bench;
  bench.list(reply_of(200, body));
  CHECK(bench.step().kind == Kind::kList);
  CHECK(bench.waited == Watcher::kMinBackoff);
  CHECK(bench.sink.take().size() == 1);
}

}  // namespace
}  // namespace snapfreeze::kube
