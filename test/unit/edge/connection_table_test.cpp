// The table of connections by itself.
#include "edge/connection_table.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "test/support/catch.h"

using namespace snapfreeze;
using namespace std::chrono_literals;
using edge::ConnectionTable;

namespace {

constexpr int kNoSocket = -1;

Mono now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

TEST_CASE("no more are accepted than can be looked at; the next comes in when one was, or is gone") {
  ConnectionTable table(100, 2);
  const auto first = table.enter(kNoSocket, now());
  const auto second = table.enter(kNoSocket, now());
  REQUIRE(first);
  REQUIRE(second);
  std::atomic<bool> entered{false};
  std::jthread accepting([&] { entered = table.enter(kNoSocket, now()).has_value(); });
  std::this_thread::sleep_for(50ms);
  CHECK_FALSE(entered);
  SECTION("looked at") {
    CHECK(table.move(*first, ConnectionTable::Phase::kIdle, now()));
  }
  SECTION("gone") {
    table.leave(*first);
  }
  const Mono freed = now();
  accepting.join();
  CHECK(entered);
  CHECK(now() - freed < 500ms);
}
