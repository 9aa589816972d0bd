// What the server does at its limits: of connections, memory, descriptors.
#include <arpa/inet.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>

#include "test/support/catch.h"
#include "test/unit/edge/fixture.h"
#include "tls/descriptor.h"

using namespace snapfreeze;
using namespace snapfreeze::edge;

TEST_CASE("Headers without end are refused at 32 KiB") {
  TlsServer server;
  Peer peer = server.connect();
  REQUIRE(peer.send("GET / HTTP/1.1\r\n"));
  for (int i = 0; i < 1000; ++i) peer.send("X: " + std::string(95, 'x') + "\r\n");

  CHECK(peer.receive().status == 431);
}

TEST_CASE("At the limit of connections the newest peer is served, and strangers go before known ones") {
  ServerOptions options;
  options.max_connections = 20;
  TlsServer server(options);
  Peer known = server.connect();
  REQUIRE(known.ask(post("{}")).status == 200);
  Peer first_stranger = server.connect();
  REQUIRE(first_stranger.shaken());

  std::vector<Peer> flood;
  for (int i = 0; i < 100; ++i) flood.emplace_back(server.port);

  CHECK(server.connect().ask(post("{}")).status == 200);
  CHECK(first_stranger.closed_within(Millis(5000)));
  CHECK(known.ask(post("{}")).status == 200);
}

TEST_CASE("When all connections are in a handler's hands a new one is closed, and later served") {
  Gate gate;
  ServerOptions options;
  options.max_connections = 2;
  PlainServer server(options, std::ref(gate));
  Peer one(server.port);
  Peer two(server.port);
  REQUIRE(one.send(get("/1")));
  REQUIRE(two.send(get("/2")));
  REQUIRE(eventually([&] { return gate.inside() == 2; }));

  CHECK(Peer(server.port).closed_within(Millis(5000)));

  gate.open();
  CHECK(one.receive().status == 200);
  CHECK(two.receive().status == 200);
  CHECK(Peer(server.port).ask(get("/3")).status == 200);
}

TEST_CASE("Large requests beyond the memory limit are told to come again, small ones pass") {
  ServerOptions options;
  options.max_buffered = 1024 * 1024;
  TlsServer server(options);
  const std::string large = post(std::string(2 * 1024 * 1024, 'x'));
  std::vector<Peer> greedy;
  for (int i = 0; i < 8; ++i) {
    greedy.push_back(server.connect());
    greedy.back().send(std::string_view(large).substr(0, 300'000));
  }

  CHECK(server.connect().ask(post(std::string(10'000, 'x'))).status == 200);
  int refused = 0;
  for (Peer& peer : greedy) {
    if (!peer.send("x")) continue;
    const timeval soon{0, 200'000};
    setsockopt(peer.socket(), SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
    const Reply reply = peer.receive();
    refused += reply.status == 503 && reply.has("Retry-After: 1") ? 1 : 0;
  }
  CHECK(refused >= 3);
  CHECK(refused < 8);
}

TEST_CASE("A request that was answered holds no memory, though its connection stays") {
  ServerOptions options;
  options.max_buffered = 1024 * 1024;
  PlainServer server(options);
  const std::string large = post(std::string(700'000, 'x'));
  Peer answered(server.port);
  REQUIRE(answered.ask(large).status == 200);
  CHECK(Peer(server.port).ask(large).status == 200);
  CHECK(answered.ask(large).status == 200);
}

TEST_CASE("Out of descriptors, it gives up an idle connection, waits without spinning and takes up again") {
  PlainServer server;
  Peer idle(server.port);
  REQUIRE(idle.ask(get("/")).status == 200);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(server.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const tls::FileDescriptor late(::socket(AF_INET, SOCK_STREAM, 0));
  rlimit limit{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const rlimit none{3, limit.rlim_max};  // poll() refuses to work with 0
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);

  const Millis before = cpu_time();
  const bool connected = ::connect(late.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  const bool given_up = idle.closed_within(Millis(5000));
  std::this_thread::sleep_for(Millis(500));
  const Millis used = cpu_time() - before;
  setrlimit(RLIMIT_NOFILE, &limit);
  CHECK(connected);
  CHECK(given_up);
  CHECK(used < Millis(200));

  const std::string request = get("/");
  REQUIRE(::send(late.get(), request.data(), request.size(), MSG_NOSIGNAL) > 0);
  std::array<char, 13> reply{};
  CHECK(::recv(late.get(), reply.data(), 12, MSG_WAITALL) == 12);
  CHECK(std::string(reply.data()) == "HTTP/1.1 200");
}
