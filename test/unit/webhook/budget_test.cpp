#include "webhook/budget.h"

#include "test/support/catch.h"
#include "test/unit/webhook/fake_clock.h"
#include "webhook/slots.h"

namespace snapfreeze::webhook {
namespace {

TEST_CASE("an admission may take its time-out less a second, and never as long as a session may be Freezing") {
  CHECK(time_allowed("timeout=10s") == Millis(9000));
  CHECK(time_allowed("timeout=5s") == Millis(4000));
  CHECK(time_allowed("a=b&timeout=2500ms&c") == Millis(1500));
  CHECK(time_allowed("timeout=1s") == Millis(500));
  CHECK(time_allowed("timeout=30s") == kLongestAdmission);
}

TEST_CASE("a time-out that makes no sense counts as the default") {
  const auto query = GENERATE(as<std::string>{}, "", "timeout", "timeout=", "timeout=x", "timeout=0s", "timeout=-3s",
                              "xtimeout=3s", "timeout=3", "timeout=99999999999999999999s");
  CHECK(time_allowed(query) == Millis(9000));
}

TEST_CASE("a call gets at most what is left") {
  test::FakeClock clock;
  const Budget budget(clock, clock.monotonic() + Millis(6000));
  CHECK(budget.for_call() == kube::kCallTimeout);
  clock.wait(Millis(4000));
  CHECK(budget.for_call() == Millis(2000));
  clock.wait(Millis(3000));
  CHECK(budget.used_up());
  CHECK(budget.for_call() == Millis(1));
}

TEST_CASE("looks at the same thing come 20 to 200 ms apart and end with the budget") {
  test::FakeClock clock;
  const Mono start = clock.monotonic();
  const Budget budget(clock, start + Millis(1000));
  Backoff backoff;
  std::vector<Millis> looks;
  while (backoff.wait(clock, budget)) looks.push_back(std::chrono::duration_cast<Millis>(clock.monotonic() - start));
  CHECK(looks ==
        std::vector<Millis>{Millis(20), Millis(60), Millis(140), Millis(300), Millis(500), Millis(700), Millis(900)});
}

TEST_CASE("looks that cost more come at a pace of their own") {
  test::FakeClock clock;
  const Mono start = clock.monotonic();
  const Budget budget(clock, start + Millis(3500));
  Backoff backoff(Millis(1000), Millis(1000));
  for (int i = 0; i < 3; ++i) CHECK(backoff.wait(clock, budget));
  CHECK_FALSE(backoff.wait(clock, budget));
  CHECK(clock.monotonic() - start == Millis(3000));
}

TEST_CASE("a part of the budget can be kept back") {
  test::FakeClock clock;
  const Budget budget(clock, clock.monotonic() + Millis(1000));
  CHECK(budget.less(Millis(300)).left() == Millis(700));
  CHECK(budget.less(Millis(2000)).used_up());
}

TEST_CASE("slots are taken up to their limit and given back") {
  Slots slots(1);
  {
    const Slots::Taken first(slots);
    CHECK(static_cast<bool>(first));
    CHECK_FALSE(static_cast<bool>(Slots::Taken(slots)));
    CHECK_FALSE(static_cast<bool>(Slots::Taken(slots)));
  }
  CHECK(static_cast<bool>(Slots::Taken(slots)));
}

}  // namespace
}  // namespace snapfreeze::webhook
