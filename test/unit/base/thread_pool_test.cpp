#include "base/thread_pool.h"

#include <atomic>
#include <set>
#include <thread>

#include "test/support/catch.h"

using namespace snapfreeze;

TEST_CASE("tasks that wait for each other each have a thread") {
  std::atomic<int> inside = 0;
  ThreadPool pool("pool");
  for (int i = 0; i < 20; ++i) {
    REQUIRE(pool.run([&] {
      ++inside;
      while (inside < 20) std::this_thread::sleep_for(Millis(1));
    }));
  }
  pool.join();
  CHECK(inside == 20);
}

TEST_CASE("a thread that is free takes the next task") {
  ThreadPool pool("pool");
  std::set<std::thread::id> threads;
  for (int i = 0; i < 5; ++i) {
    std::atomic<bool> done = false;
    REQUIRE(pool.run([&] {
      threads.insert(std::this_thread::get_id());
      done = true;
    }));
    while (!done) std::this_thread::sleep_for(Millis(1));
    std::this_thread::sleep_for(Millis(100));  // until it is idle again
  }
  CHECK(threads.size() < 5);
}

TEST_CASE("the end waits for what was begun, and takes nothing more") {
  std::atomic<bool> done = false;
  ThreadPool pool("pool");
  REQUIRE(pool.run([&] {
    std::this_thread::sleep_for(Millis(100));
    done = true;
  }));
  pool.join();
  CHECK(done);
  CHECK_FALSE(pool.run([] {}));
}
