#include "base/budget.h"

#include <atomic>
#include <optional>
#include <thread>

#include "test/support/catch.h"

using namespace snapfreeze;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kAlways = 10;

// A holder that lets go as soon as it is told to.
struct Obedient {
  Obedient(Budget& budget, std::size_t bytes) {
    share.emplace(budget, [this] { told = true; });
    REQUIRE(share->grow(bytes));
    thread = std::jthread([this](const std::stop_token& stop) {
      while (!told && !stop.stop_requested()) std::this_thread::sleep_for(1ms);
      if (told) share.reset();
    });
  }

  std::atomic<bool> told{false};
  std::optional<Budget::Share> share;
  std::jthread thread;
};

}  // namespace

TEST_CASE("when bytes run short, whoever holds most lets go for one that wants less, and nobody else does") {
  Budget budget(100, kAlways);
  Obedient small(budget, 20);
  Obedient large(budget, 60);
  Budget::Share wants(budget, [] {});
  CHECK(wants.grow(40));
  CHECK(large.told);
  CHECK_FALSE(small.told);
}

TEST_CASE("one that would hold most has to go itself, and what it had can be had again") {
  Budget budget(100, kAlways);
  Obedient other(budget, 50);
  {
    Budget::Share wants(budget, [] {});
    CHECK(wants.grow(50));
    CHECK_FALSE(wants.grow(51));
  }
  CHECK_FALSE(other.told);
  Budget::Share next(budget, [] {});
  CHECK(next.grow(50));
}

TEST_CASE("one that was told to go gets no more, also while it waits itself") {
  Budget budget(100, kAlways);
  std::atomic<int> told{0};
  Budget::Share stubborn(budget, [&] { ++told; });
  REQUIRE(stubborn.grow(60));
  Budget::Share kept(budget, [] {});
  REQUIRE(kept.grow(40));
  kept.keep();
  const auto begin = std::chrono::steady_clock::now();
  Budget::Share wants(budget, [] {});
  CHECK_FALSE(wants.grow(30));  // nobody lets go
  CHECK(std::chrono::steady_clock::now() - begin >= 900ms);
  CHECK_FALSE(wants.grow(30));
  CHECK(told == 1);
  CHECK_FALSE(stubborn.grow(60));
}

TEST_CASE("a small share can be had in any case, and one that is kept is left alone") {
  Budget budget(100, kAlways);
  std::atomic<bool> told{false};
  Budget::Share all(budget, [&] { told = true; });
  REQUIRE(all.grow(100));
  all.keep();
  Budget::Share small(budget, [] {});
  CHECK(small.grow(kAlways));
  CHECK_FALSE(small.grow(kAlways + 1));
  CHECK_FALSE(told);
}
