// How long a watcher waits after each kind of failure.
#include "test/unit/kube/watcher_bench.h"

namespace snapfreeze::kube {
namespace {

// A stream that shows nothing, and the list that follows it. The wait between them.
Millis watch_and_list(Bench& bench, const Lines& lines, const Result<void>& end, Millis lasting = Millis(1)) {
  bench.watch(lines, end, lasting);
  bench.step();
  const Millis waited = bench.waited;
  bench.list(page({}, "10"));
  return waited;
}

TEST_CASE("Waits double from 100 ms to 15 to 30 s, and start anew after progress") {
  Bench bench;
  bench.begin();
  std::vector<Millis> waits;
  for (int i = 0; i < 12; ++i) {
    bench.watch({}, Error{Code::kForbidden, "no watch", 403}, Millis(1));
    bench.step();
    waits.push_back(bench.waited);
    bench.list(page({}, "10"));
  }
  CHECK(waits[0] == Millis(100));
  CHECK(waits[1] == Millis(200));
  CHECK(waits[4] == Millis(1600));
  CHECK(waits[11] == Watcher::kMaxBackoff / 2);
  bench.watch({event("ADDED", "a", "11")}, lost(), Millis(1));
  bench.step();
  CHECK(bench.waited == Millis(100));
}

TEST_CASE("A server that does not answer is asked again within 2 s, one that talks nonsense is not") {
  Bench bench;
  bench.begin();
  for (int i = 0; i < 12; ++i) watch_and_list(bench, {}, lost());
  bench.watch({}, lost(), Millis(1));
  bench.step();
  CHECK(bench.waited == Watcher::kMaxBackoffAway / 2);
  bench.begin();
  for (int i = 0; i < 12; ++i) watch_and_list(bench, {"nonsense"}, lost());
  bench.watch({"nonsense"}, lost(), Millis(1));
  bench.step();
  CHECK(bench.waited == Watcher::kMaxBackoff / 2);

  Bench listing;
  for (int i = 0; i < 12; ++i) listing.list(lost());
  listing.step();
  CHECK(listing.waited == Watcher::kMaxBackoffAway / 2);
}

TEST_CASE("A server that fails itself is asked again within 2 s") {
  Bench bench;
  bench.begin();
  for (int i = 0; i < 12; ++i) bench.watch({}, refused(503), Millis(1));
  bench.step();
  CHECK(bench.waited == Watcher::kMaxBackoffAway / 2);
}

TEST_CASE("A server that was away and ends its first streams at once is not left alone") {
  Bench bench;
  bench.begin();
  for (int i = 0; i < 12; ++i) watch_and_list(bench, {}, lost());
  CHECK(watch_and_list(bench, {}, {}) == Millis(100));
  CHECK(watch_and_list(bench, {}, {}) == Millis(200));
}

TEST_CASE("A list whose later page always fails is not begun anew without pause") {
  Bench bench;
  std::vector<Millis> waits;
  for (int i = 0; i < 3; ++i) {
    bench.list(page({}, "10", "2"));
    waits.push_back(bench.waited);
    bench.list(reply_of(504, "too large resource version"));
  }
  CHECK(waits == std::vector<Millis>{Millis(0), Millis(100), Millis(200)});
  CHECK(bench.sink.take() == Lines{"relist", "trouble: HTTP 504: too large resource version", "relist", "relist"});
}

TEST_CASE("A watch refused after each list still backs off") {
  Bench bench;
  bench.begin();
  for (int i = 0; i < 5; ++i) {
    bench.watch({}, Error{Code::kForbidden, "no watch", 403}, Millis(1));
    bench.list(page({}, "10"));
  }
  bench.watch({}, Error{Code::kForbidden, "no watch", 403}, Millis(1));
  bench.step();
  CHECK(bench.waited == Millis(3200));
}

TEST_CASE("Jitter spreads a wait up to twice its least") {
  RecordingSink sink;
  Watcher watcher({"/things", ""}, sink, [] { return 0.999; });
  const Mono now{std::chrono::hours(1)};
  watcher.on_list(lost(), now);
  CHECK(watcher.next(now).until - now > Millis(190));
  CHECK(watcher.next(now).until - now <= Millis(200));
}

TEST_CASE("A server that ends each watch at once is not asked without pause") {
  Bench bench;
  bench.begin();
  SECTION("before anything came") {
    const Millis lasting = GENERATE(Millis(1), Watcher::kWatchHeaderTimeout);
    CHECK(watch_and_list(bench, {}, {}, lasting) == Millis(100));
    CHECK(watch_and_list(bench, {}, {}, lasting) == Millis(200));
  }
  SECTION("after an event") {
    bench.watch({event("ADDED", "a", "11")}, {}, Millis(1));
    CHECK(bench.step().kind == Kind::kWatch);
    CHECK(bench.waited == Millis(100));
  }
}

}  // namespace
}  // namespace snapfreeze::kube
