// Peers that mean no good, beside one that does.
#include <arpa/inet.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/times.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <thread>

#include "test/support/catch.h"
#include "test/unit/edge/fixture.h"
#include "tls/descriptor.h"

using namespace snapfreeze;
using namespace snapfreeze::edge;

namespace {

std::size_t resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
  }
  return 0;
}

Millis cpu_time() {
  tms used{};
  times(&used);
  return Millis((used.tms_utime + used.tms_stime) * 1000 / sysconf(_SC_CLK_TCK));
}

// The first bytes of a handshake: a ClientHello that never ends.
std::string endless_hello(std::size_t size) {
  return std::string("\x16\x03\x01\x3f\xff\x01", 6) + std::string(size, 'x');
}

// Sends these bytes to its peer one at a time, until destroyed.
class Dribble {
 public:
  Dribble(std::vector<Peer>& peers, std::string bytes, Millis interval)
      : thread_([&peers, bytes = std::move(bytes), interval, this] {
          for (std::size_t i = 0; !ended_; i = std::min(i + 1, bytes.size() - 1)) {
            for (Peer& peer : peers) peer.send(std::string_view(bytes).substr(i, 1));
            std::this_thread::sleep_for(interval);
          }
        }) {}
  ~Dribble() {
    ended_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

std::vector<Millis> answer_times(TlsServer& server, int requests) {
  std::vector<Millis> times;
  for (int i = 0; i < requests; ++i) {
    const Mono begin = std::chrono::steady_clock::now();
    // Every other request over a connection of its own: a handshake must come through as well.
    Peer peer = server.connect();
    CHECK(peer.ask(post("{}")).status == 200);
    CHECK(peer.ask(post("{}")).status == 200);
    times.push_back(std::chrono::ceil<Millis>(std::chrono::steady_clock::now() - begin));
  }
  std::sort(times.begin(), times.end());
  return times;
}

}  // namespace

TEST_CASE("500 idle peers and 500 that send a byte at a time hold up nobody, in bounded memory") {
  TlsServer server;
  const std::size_t before = resident_kib();
  std::vector<Peer> idle, in_handshake, in_head, in_body;
  for (int i = 0; i < 500; ++i) idle.push_back(server.connect());
  for (int i = 0; i < 166; ++i) {
    in_handshake.emplace_back(server.port);
    in_head.push_back(server.connect());
    in_body.push_back(server.connect());
  }
  {
    const Dribble handshakes(in_handshake, endless_hello(16000), Millis(100));
    const Dribble heads(in_head, "GET / HTTP/1.1\r\nX: " + std::string(1000, 'x'), Millis(100));
    const Dribble bodies(in_body, post(std::string(1000, 'x')), Millis(100));
    std::this_thread::sleep_for(Millis(500));

    const std::vector<Millis> times = answer_times(server, 200);

    WARN("two requests and a handshake among 1,000 hostile peers: median " << times[100].count() << " ms, p99 "
                                                                           << times[198].count() << " ms");
    CHECK(times.back() < Millis(2000));
  }
  // Both ends of all connections are in this process.
  WARN("memory for 1,000 connections, both ends: " << resident_kib() - before << " KiB");
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
  CHECK(resident_kib() - before < 160 * 1024);
#endif
  CHECK(idle.back().ask(post("{}")).status == 200);
}

TEST_CASE("A handshake has a deadline, however steadily its bytes come") {
  ServerOptions options;
  options.handshake_timeout = Millis(300);
  TlsServer server(options);
  std::vector<Peer> peers;
  peers.emplace_back(server.port);
  peers.emplace_back(server.port);
  std::vector<Peer> sending;
  sending.push_back(std::move(peers.back()));
  const Dribble bytes(sending, endless_hello(16000), Millis(10));

  CHECK(peers.front().closed_within(Millis(5000)));
  CHECK(sending.front().closed_within(Millis(5000)));
}

TEST_CASE("A request has a deadline, however steadily its bytes come") {
  ServerOptions options;
  options.request_timeout = Millis(300);
  TlsServer server(options);
  const std::string request =
      GENERATE(std::string("GET / HTTP/1.1\r\nX: ") + std::string(30'000, 'x'), post(std::string(100'000, 'x')));
  Peer peer = server.connect();
  Mono end = std::chrono::steady_clock::now() + Millis(250);
  std::size_t sent = 0;
  for (; std::chrono::steady_clock::now() < end; ++sent) {
    REQUIRE(peer.send(std::string_view(request).substr(sent, 1)));
    std::this_thread::sleep_for(Millis(10));
  }

  const Reply reply = peer.receive();
  CHECK(std::chrono::steady_clock::now() < end + Millis(5000));
  CHECK(reply.status == 408);
  CHECK(reply.body == "the request was not complete in time\n");
  CHECK(peer.closed_within(Millis(5000)));
}

TEST_CASE("A TLS record that never ends counts as a request that has begun") {
  ServerOptions options;
  options.request_timeout = Millis(300);
  TlsServer server(options);
  Peer peer = server.connect();
  REQUIRE(peer.ask(post("{}")).status == 200);

  REQUIRE(::send(peer.socket(), "\x17\x03\x03\x40", 4, MSG_NOSIGNAL) == 4);

  CHECK(peer.closed_within(Millis(5000)));
}

TEST_CASE("An idle connection is closed in the end") {
  ServerOptions options;
  options.idle_timeout = Millis(200);
  TlsServer server(options);
  Peer peer = server.connect();
  REQUIRE(peer.ask(post("{}")).status == 200);

  CHECK(peer.closed_within(Millis(5000)));
}

TEST_CASE("A reader that does not read is let go") {
  ServerOptions options;
  options.request_timeout = Millis(300);
  PlainServer server(options, [](const HttpRequest&) {
    return HttpResponse{200, std::string(30 * 1024 * 1024, 'x'), {}};
  });
  Peer peer(server.port);
  REQUIRE(peer.send(get("/")));
  std::this_thread::sleep_for(Millis(1000));

  CHECK(peer.receive().status == 0);
}

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

TEST_CASE("Thousands of short connections leave nothing behind") {
  TlsServer server;
  for (int i = 0; i < 3000; ++i) {
    Peer peer(server.port);
    if (i % 3 == 0) peer.send("GET / HTTP/1.1\r\n\r\n");  // not TLS
    if (i % 3 == 1) peer.reset();
  }

  CHECK(server.connect().ask(post("{}")).status == 200);
}

TEST_CASE("Connections that were reset take no room from a handshake that waits for its turn") {
  ServerOptions options;
  options.max_connections = 256;
  TlsServer server(options);
  std::atomic<bool> ended = false;
  std::thread attacker([&] {
    while (!ended) {
      Peer peer(server.port);
      peer.send("\x16\x03\x01");
      peer.reset();
    }
  });
  int shaken = 0;
  for (int i = 0; i < 300; ++i) shaken += server.connect().shaken() ? 1 : 0;
  ended = true;
  attacker.join();
  CHECK(shaken == 300);
}

TEST_CASE("A peer that resets its connection while it is handled costs no CPU and no reply") {
  Gate gate;
  TlsServer server({}, std::ref(gate));
  {
    Peer peer = server.connect();
    REQUIRE(peer.send(post("{}")));
    REQUIRE(eventually([&] { return gate.inside() == 1; }));
    peer.reset();
  }
  const Millis before = cpu_time();
  std::this_thread::sleep_for(Millis(500));
  CHECK(cpu_time() - before < Millis(200));

  gate.open();
  CHECK(server.connect().ask(post("{}")).status == 200);
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

TEST_CASE("An idle server uses no CPU") {
  TlsServer server;
  Peer idle = server.connect();
  Peer half_closed = server.connect();
  half_closed.send_nothing_more();
  REQUIRE(idle.ask(post("{}")).status == 200);

  const Millis before = cpu_time();
  std::this_thread::sleep_for(Millis(1000));
  CHECK(cpu_time() - before < Millis(50));
}
