#include <stdexcept>
#include <thread>

#include "test/double/runtime/runtime_sim.h"
#include "test/double/runtime/runtime_threads.h"
#include "test/double/runtime/sim_clock.h"
#include "test/support/catch.h"

using namespace cluster;
using namespace std::chrono_literals;

TEST_CASE("virtual time jumps to the earliest deadline") {
  SimRuntime runtime;
  const Mono start = runtime.now();
  std::vector<std::string> order;
  const FiberRef slow = runtime.spawn("slow", [&] {
    runtime.sleep_for(2h);
    order.emplace_back("slow");
  });
  runtime.spawn("fast", [&] {
    runtime.sleep_for(1h);
    order.emplace_back("fast");
  });
  runtime.join(slow);
  CHECK(order == std::vector<std::string>{"fast", "slow"});
  CHECK(runtime.now() - start == 2h);
}

namespace {

std::string interleaving(std::uint64_t seed) {
  SimRuntime runtime(seed);
  std::string order;
  for (char name = 'a'; name < 'f'; ++name) {
    runtime.spawn("fiber", [&, name] {
      for (int i = 0; i < 3; ++i) {
        order += name;
        runtime.sleep_for(0ms);
      }
    });
  }
  runtime.sleep_for(1ms);
  return order;
}

}  // namespace

TEST_CASE("one seed is one order, another seed another order") {
  CHECK(interleaving(7) == interleaving(7));
  CHECK(interleaving(7) != interleaving(8));
  CHECK(interleaving(7).size() == 15);
}

TEST_CASE("a wait ends by its signal, or at its deadline without") {
  SimRuntime runtime;
  Signal signal;
  bool ready = false;
  runtime.spawn("waker", [&] {
    runtime.sleep_for(5s);
    const Lock lock = runtime.lock();
    ready = true;
    runtime.wake(signal);
  });
  const Mono start = runtime.now();
  Lock lock = runtime.lock();
  CHECK_FALSE(runtime.wait_until(lock, signal, start + 2s, [&] { return ready; }));
  CHECK(runtime.now() - start == 2s);
  CHECK(runtime.wait_until(lock, signal, kNever, [&] { return ready; }));
  CHECK(runtime.now() - start == 5s);
}

TEST_CASE("a killed fiber ends at the blocking point it is in, through catch of std::exception") {
  SimRuntime runtime;
  bool survived = false;
  bool unwound = false;
  struct Witness {
    bool& seen;
    ~Witness() { seen = true; }
  };
  const FiberRef victim = runtime.spawn("victim", [&] {
    const Witness witness{unwound};
    try {
      runtime.sleep_for(1h);
    } catch (const std::exception&) {
    }
    survived = true;
  });
  runtime.sleep_for(1s);
  const Mono start = runtime.now();
  runtime.kill(victim);
  runtime.join(victim);
  CHECK(runtime.now() == start);
  CHECK(unwound);
  CHECK_FALSE(survived);
}

TEST_CASE("a destructor may block while a killed fiber unwinds") {
  SimRuntime runtime;
  struct Goodbye {
    Runtime& runtime;
    ~Goodbye() { runtime.sleep_for(1h); }
  };
  const FiberRef victim = runtime.spawn("victim", [&] {
    const Goodbye goodbye{runtime};
    runtime.sleep_for(1h);
  });
  runtime.sleep_for(1ms);
  const Mono start = runtime.now();
  runtime.kill(victim);
  runtime.join(victim);
  CHECK(runtime.now() == start);
}

TEST_CASE("a process dies as a whole, and starts nothing afterwards") {
  SimRuntime runtime;
  int ended = 0;
  Process process(runtime, "webhook");
  for (int i = 0; i < 3; ++i) {
    process.spawn("loop", [&] {
      struct Count {
        int& count;
        ~Count() { ++count; }
      } const count{ended};
      while (true) runtime.sleep_for(1s);
    });
  }
  runtime.sleep_for(10s);
  CHECK(ended == 0);
  process.kill();
  runtime.sleep_for(0ms);
  runtime.sleep_for(1ms);
  CHECK(ended == 3);
  CHECK(process.spawn("late", [] {}) == nullptr);
}

TEST_CASE("a clock has its own wall time, and its waits end when the process stops") {
  SimRuntime runtime;
  SimClock clock(runtime, -5min);
  CHECK(runtime.wall() - clock.wall() == 5min);
  CHECK(clock.wait(Millis(3000)));
  runtime.spawn("stopper", [&] {
    runtime.sleep_for(1s);
    clock.stop();
  });
  const Mono start = runtime.now();
  CHECK_FALSE(clock.wait(Millis(30'000)));
  CHECK(runtime.now() - start == 1s);
}

TEST_CASE("real threads wait, wake and are killed alike") {
  ThreadRuntime runtime;
  Signal signal;
  bool ready = false;
  const FiberRef victim = runtime.spawn("victim", [&] { runtime.sleep_for(1h); });
  runtime.spawn("waker", [&] {
    const Lock lock = runtime.lock();
    ready = true;
    runtime.wake(signal);
  });
  {
    Lock lock = runtime.lock();
    CHECK(runtime.wait_until(lock, signal, runtime.now() + 10s, [&] { return ready; }));
    CHECK_FALSE(runtime.wait_until(lock, signal, runtime.now() + 5ms, [] { return false; }));
  }
  runtime.kill(victim);
  runtime.join(victim);
  runtime.spawn("left over", [&] { runtime.sleep_for(1h); });
  runtime.stop();
}
