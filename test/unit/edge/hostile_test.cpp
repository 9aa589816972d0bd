// Peers that mean no good, beside one that does.
#include <arpa/inet.h>
#include <sys/socket.h>
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
