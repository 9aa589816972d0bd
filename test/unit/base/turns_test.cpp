#include "base/turns.h"

#include <atomic>
#include <thread>
#include <vector>

#include "test/support/catch.h"

using namespace snapfreeze;

namespace {

Mono in(Millis wait) {
  return std::chrono::steady_clock::now() + wait;
}

}  // namespace

TEST_CASE("no more than so many have a turn, and one who waits too long goes without") {
  Turns turns(2, 1);
  REQUIRE(turns.try_lock_until(in(Millis(0))));
  REQUIRE(turns.try_lock_until(in(Millis(0))));
  CHECK_FALSE(turns.try_lock_until(in(Millis(20))));

  turns.unlock();
  CHECK(turns.try_lock_until(in(Millis(0))));
}

TEST_CASE("no more than so many wait for a turn") {
  Turns turns(1, 1);
  REQUIRE(turns.try_lock_until(in(Millis(0))));
  std::atomic<bool> waited = false;
  std::jthread waiting([&] {
    while (!waited) waited = turns.try_lock_until(in(Millis(10'000)));
  });
  // Refused at once as soon as the other one waits.
  bool refused_at_once = false;
  for (int i = 0; i < 100 && !refused_at_once; ++i) {
    std::this_thread::sleep_for(Millis(50));
    const Mono before = std::chrono::steady_clock::now();
    REQUIRE_FALSE(turns.try_lock_until(in(Millis(500))));
    refused_at_once = std::chrono::steady_clock::now() < before + Millis(400);
  }
  CHECK(refused_at_once);

  turns.unlock();
  waiting.join();
  CHECK(waited);
}

TEST_CASE("turns are given in the order in which they were asked for") {
  Turns turns(1, 100);
  REQUIRE(turns.try_lock_until(in(Millis(0))));
  std::vector<int> order;  // guarded by the turn
  std::vector<std::jthread> threads;
  for (int i = 0; i < 5; ++i) {
    threads.emplace_back([&, i] {
      if (!turns.try_lock_until(in(Millis(10'000)))) return;
      order.push_back(i);
      turns.unlock();
    });
    std::this_thread::sleep_for(Millis(200));  // until it waits
  }
  turns.unlock();
  threads.clear();
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4});
}
