#include "freeze/policy.h"

#include <random>

#include "test/support/catch.h"

using namespace snapfreeze;
using namespace std::chrono_literals;
using freeze::freeze_timer;
using freeze::Policy;

TEST_CASE("the backup's own deadline is T, within the bounds") {
  const Policy policy;
  CHECK(freeze_timer(policy, 10s, false) == 10s);
  CHECK(freeze_timer(policy, 1s, false) == 5s);
  CHECK(freeze_timer(policy, 500ms, false) == 5s);
  CHECK(freeze_timer(policy, 10min, false) == 60s);
}

TEST_CASE("a fraction of a second is cut off, as KubeVirt does") {
  CHECK(freeze_timer(Policy{}, 12900ms, false) == 12s);
}

TEST_CASE("no deadline, an infinite one and a negative one mean the default") {
  CHECK(freeze_timer(Policy{}, std::nullopt, false) == 30s);
  CHECK(freeze_timer(Policy{}, 0s, false) == 30s);
  CHECK(freeze_timer(Policy{}, -5s, false) == 30s);
}

TEST_CASE("Windows is held for 8 s at most, and for less when asked") {
  CHECK(freeze_timer(Policy{}, std::nullopt, true) == 8s);
  CHECK(freeze_timer(Policy{}, 10s, true) == 8s);
  CHECK(freeze_timer(Policy{}, 6s, true) == 6s);
}

TEST_CASE("whatever the deadline, T keeps its bounds and is never 0") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    Policy policy;
    policy.max_timer = std::chrono::seconds(5 + random() % 300);
    policy.default_timer = std::chrono::seconds(1 + random() % static_cast<unsigned>(policy.max_timer.count()));
    std::optional<Millis> deadline;
    if (random() % 4 != 0) deadline = Millis(static_cast<std::int64_t>(random() >> (random() % 64)));
    const bool windows = random() % 2 == 0;
    const auto timer = freeze_timer(policy, deadline, windows);
    CAPTURE(i, timer.count());
    REQUIRE(timer >= 5s);
    REQUIRE(timer <= policy.max_timer);
    if (windows) REQUIRE(timer <= 8s);
  }
}
