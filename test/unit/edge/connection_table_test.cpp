// The table of connections by itself.
#include "edge/connection_table.h"

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include "test/support/catch.h"
#include "tls/descriptor.h"

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

TEST_CASE("a socket that is about to be closed is not shut down, as its number may be another's by then") {
  std::array<int, 2> ends{};
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
  const tls::FileDescriptor ours(ends[0]), theirs(ends[1]);
  ConnectionTable table(1, 2);
  const auto place = table.enter(ours.get(), now());
  REQUIRE(place);
  table.forget_socket(*place);
  CHECK_FALSE(table.make_room());
  CHECK(table.end(now()));
  CHECK(::send(theirs.get(), "x", 1, MSG_NOSIGNAL) == 1);
}
