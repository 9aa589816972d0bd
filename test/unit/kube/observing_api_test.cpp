#include "kube/observing_api.h"

#include "test/support/catch.h"
#include "test/unit/kube/fake_api.h"

namespace snapfreeze::kube {
namespace {

using std::chrono::seconds;

Mono at(double when) {
  return Mono(std::chrono::duration_cast<Mono::duration>(std::chrono::duration<double>(when)));
}

Response stamped(seconds date, Mono sent) {
  return {200, "", Wall(date), sent};
}

TEST_CASE("The server's clock is bounded by the reply's date, its truncation and all time since it was sent") {
  ServerTime time;
  CHECK_FALSE(time.upper_bound(at(0)).has_value());
  time.observe(stamped(seconds(1000), at(50)), at(50));
  CHECK(time.upper_bound(at(50)) == Wall(seconds(1001)));
  CHECK(time.upper_bound(at(57.5)) == Wall(seconds(1008)) + Millis(500));
}

TEST_CASE("The newest request counts, whichever reply comes last") {
  ServerTime time;
  time.observe(stamped(seconds(1020), at(60)), at(60));
  time.observe(stamped(seconds(1000), at(50)), at(50));
  CHECK(time.upper_bound(at(60)) == Wall(seconds(1021)));
}

TEST_CASE("A reply without a date says nothing of the server's clock") {
  ServerTime time;
  time.observe(stamped(seconds(1000), at(50)), at(50));
  time.observe({200, "", std::nullopt, at(60)}, at(60));
  CHECK(time.upper_bound(at(60)) == Wall(seconds(1011)));
}

TEST_CASE("For an age, a clock that was set back counts as it was before, for three minutes") {
  ServerTime time;
  time.observe(stamped(seconds(1000), at(50)), at(50.25));
  CHECK(time.bound_if_not_set_back(at(51)) == Wall(seconds(1002)));
  time.observe(stamped(seconds(990), at(52)), at(52.25));
  CHECK(time.upper_bound(at(53)) == Wall(seconds(992)));
  CHECK(time.bound_if_not_set_back(at(53)) == Wall(seconds(1004)));

  time.observe(stamped(seconds(1168), at(230)), at(230.25));
  CHECK(time.bound_if_not_set_back(at(231)) == Wall(seconds(1182)));
  time.observe(stamped(seconds(1169), at(231)), at(231.25));
  CHECK(time.bound_if_not_set_back(at(232)) == Wall(seconds(1171)));
}

TEST_CASE("An age of more than three minutes is none that the clock would have without the step") {
  ServerTime time;
  time.observe(stamped(seconds(1000), at(50)), at(50));
  time.observe(stamped(seconds(940), at(51)), at(51));
  CHECK(time.bound_for_age(at(51), Wall(seconds(900))) == Wall(seconds(1002)));
  CHECK(time.bound_for_age(at(51), Wall(seconds(822))) == Wall(seconds(1002)));
  CHECK(time.bound_for_age(at(51), Wall(seconds(821))) == Wall(seconds(941)));
}

TEST_CASE("Replies that agree to the second remember the clock, however long it runs") {
  ServerTime time;
  for (int i = 0; i < 400; ++i) {
    const double sent = 50 + i;
    const bool slow = i % 7 == 3;
    time.observe(stamped(seconds(1000 + i - i % 2), at(sent)), at(sent + (slow ? 5 : 0.01)));
  }
  CHECK(time.bound_if_not_set_back(at(450)) == time.upper_bound(at(450)));
  time.observe(stamped(seconds(1395), at(451)), at(451));
  CHECK(time.bound_if_not_set_back(at(451)) == Wall(seconds(1401)));
}

TEST_CASE("Neither a slow reply nor a clock that is put forward is a clock that was set back") {
  ServerTime time;
  time.observe(stamped(seconds(1000), at(50)), at(50));
  SECTION("slow") {
    time.observe(stamped(seconds(1000), at(50.5)), at(58));
    CHECK(time.bound_if_not_set_back(at(58)) == time.upper_bound(at(58)));
  }
  SECTION("forward") {
    time.observe(stamped(seconds(1100), at(51)), at(51));
    CHECK(time.bound_if_not_set_back(at(52)) == Wall(seconds(1102)));
  }
}

struct FixedClock : Clock {
  [[nodiscard]] Wall wall() const override { return {}; }
  [[nodiscard]] Mono monotonic() const override { return at(60); }
  bool wait_until(Mono /*deadline*/) override { return true; }
};

struct Observed {
  Observed()
      : api(inner, time, clock, [this](std::string_view verb, int status) {
          seen.push_back(std::string(verb) + " " + std::to_string(status));
        }) {}

  FixedClock clock;
  FakeApi inner;
  ServerTime time;
  std::vector<std::string> seen;
  ObservingApi api;
};

TEST_CASE("Calls are told by verb and status, and replies feed the server's clock") {
  Observed observed;
  observed.inner.replies.push_back(stamped(seconds(1000), at(50)));
  observed.inner.replies.push_back(Error{Code::kTransient, "timed out"});
  CHECK(observed.api.call({Method::kPost, "/a", "", "", Millis(1)}).ok());
  CHECK_FALSE(observed.api.call({Method::kPut, "/a", "", "", Millis(1)}).ok());
  CHECK(observed.seen == std::vector<std::string>{"POST 200", "PUT 0"});
  CHECK(observed.time.upper_bound(at(50)) == Wall(seconds(1001)));
}

TEST_CASE("A reply through the aggregation layer does not feed the server's clock: its date is another machine's") {
  Observed observed;
  observed.inner.replies.push_back(stamped(seconds(1000), at(50)));
  CHECK(observed.api.call({Method::kPut, "/apis/subresources.kubevirt.io/v1/x", "", "", Millis(1)}).ok());
  CHECK(observed.seen == std::vector<std::string>{"PUT 200"});
  CHECK_FALSE(observed.time.upper_bound(at(50)).has_value());
}

TEST_CASE("Calls side by side are told one by one") {
  Observed observed;
  observed.inner.replies.push_back(stamped(seconds(1000), at(50)));
  observed.inner.replies.push_back(reply_of(404, ""));
  const std::vector<Request> requests(2);
  CHECK(observed.api.call_all(requests).size() == 2);
  CHECK(observed.seen == std::vector<std::string>{"GET 200", "GET 404"});
}

TEST_CASE("A stream is told when it ends") {
  Observed observed;
  observed.inner.streams.push_back({{"line"}, {}});
  observed.inner.streams.push_back({{}, Error{Code::kGone, "too old", 410}});
  std::vector<std::string> lines;
  const auto take = [&](std::string_view line) { return lines.emplace_back(line), true; };
  CHECK(observed.api.stream({}, Millis(1), take).ok());
  CHECK_FALSE(observed.api.stream({}, Millis(1), take).ok());
  CHECK(lines == std::vector<std::string>{"line"});
  CHECK(observed.seen == std::vector<std::string>{"WATCH 200", "WATCH 410"});
}

}  // namespace
}  // namespace snapfreeze::kube
