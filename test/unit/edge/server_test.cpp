#include "edge/server.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <set>
#include <stdexcept>
#include <thread>

#include "test/support/catch.h"
#include "test/unit/edge/fixture.h"

using namespace snapfreeze;
using namespace snapfreeze::edge;

TEST_CASE("A connection is kept open for request after request") {
  TlsServer server;
  Peer peer = server.connect();

  for (int i = 0; i < 3; ++i) CHECK(peer.ask(post("{}")).body == "POST /mutate?timeout=10s 2");
}

TEST_CASE("The same server serves without TLS") {
  PlainServer server;
  Peer peer(server.port);

  CHECK(peer.ask(get("/healthz")).body == "GET /healthz? 0");
  CHECK(peer.ask(get("/readyz?verbose")).body == "GET /readyz?verbose 0");
}

TEST_CASE("A handler sees who asks and when the request's first byte came") {
  HttpRequest seen;
  PlainServer server({}, [&](const HttpRequest& request) {
    seen = request;
    return HttpResponse{};
  });
  Peer peer(server.port);
  const Mono before = std::chrono::steady_clock::now();
  REQUIRE(peer.send("POST"));
  std::this_thread::sleep_for(Millis(1000));
  const Mono between = std::chrono::steady_clock::now();
  REQUIRE(peer.ask(post("{}").substr(4)).status == 200);
  server.server.stop(Millis(1000));

  CHECK(seen.peer.starts_with("127.0.0.1:"));
  CHECK(seen.arrival >= before);
  CHECK(seen.arrival < between);
}

TEST_CASE("Its threads carry its name and leave signals, the one for a broken pipe included, to others") {
  ServerOptions options;
  options.name = "named";
  PlainServer server(options);
  REQUIRE(Peer(server.port).ask(get("/")).status == 200);

  std::set<std::string> names;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream status(task.path() / "status");
    std::string name;
    std::string blocked;
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("Name:\tnamed")) name = line.substr(6);
      if (line.starts_with("SigBlk:\t")) blocked = line.substr(8);
    }
    if (name.empty()) continue;
    names.insert(name);
    CHECK((std::stoull(blocked, nullptr, 16) >> (SIGPIPE - 1) & 1) == 1);
    CHECK((std::stoull(blocked, nullptr, 16) >> (SIGTERM - 1) & 1) == 1);
  }
  CHECK(names == std::set<std::string>{"named-0", "named-loop"});
}

TEST_CASE("An exception of the handler is a 500, and the connection lives on") {
  TlsServer server({}, [](const HttpRequest& request) -> HttpResponse {
    if (request.body == "throw") throw std::runtime_error("broken");
    return echo(request);
  });
  Peer peer = server.connect();

  const Reply reply = peer.ask(post("throw"));
  CHECK(reply.status == 500);
  CHECK(reply.body == "internal error: broken\n");
  CHECK(peer.ask(post("{}")).status == 200);
}

TEST_CASE("Requests sent without waiting for replies are answered in order") {
  TlsServer server;
  Peer peer = server.connect();
  std::string all;
  for (int i = 0; i < 50; ++i) all.append(get(std::string("/").append(std::to_string(i))));

  REQUIRE(peer.send(all));

  for (int i = 0; i < 50; ++i) CHECK(peer.receive().body == "GET /" + std::to_string(i) + "? 0");
}

TEST_CASE("A client that asks for it is let go after its reply") {
  TlsServer server;
  Peer peer = server.connect();

  const Reply reply = peer.ask(post("{}", "Connection: close\r\n"));

  CHECK(reply.status == 200);
  CHECK(reply.has("Connection: close"));
  CHECK(reply.head.find("Connection") == reply.head.rfind("Connection"));
  CHECK(peer.closed_within(Millis(5000)));
}

TEST_CASE("A half-closed client is answered") {
  TlsServer server;
  Peer peer = server.connect();
  REQUIRE(peer.send(post("{}")));
  peer.send_nothing_more();

  CHECK(peer.receive().status == 200);
  CHECK(peer.closed_within(Millis(5000)));
}

TEST_CASE("A body of 7 MiB and a reply of 7 MiB pass") {
  TlsServer server({}, [](const HttpRequest& request) { return HttpResponse{200, request.body, {}}; });
  Peer peer = server.connect();
  const std::string body(7 * 1024 * 1024, 'x');

  CHECK(peer.ask(post(body)).body == body);
}

TEST_CASE("A refusal reaches a client that sends its whole body first") {
  TlsServer server;
  const auto [request, status] = GENERATE(table<std::string, int>({
      {post(std::string(8 * 1024 * 1024, 'x')), 413},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" +
           std::string(8 * 1024 * 1024, 'x'),
       411},
      {post(std::string(1024 * 1024, 'x'), "Content-Encoding: gzip\r\n"), 415},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\r\n{}", 411},
  }));
  Peer peer = server.connect();

  CHECK(peer.ask(request).status == status);
  CHECK(server.connect().ask(post("{}")).status == 200);
}

TEST_CASE("More requests than workers and queue hold are answered 429, to come again") {
  Gate gate;
  ServerOptions options;
  options.workers = 1;
  options.queue = 1;
  TlsServer server(options, std::ref(gate));
  Peer handled = server.connect();
  Peer queued = server.connect();
  Peer refused = server.connect();
  REQUIRE(handled.send(post("{}")));
  REQUIRE(eventually([&] { return gate.inside() == 1; }));
  REQUIRE(queued.send(post("{}")));
  std::this_thread::sleep_for(Millis(100));

  const Reply reply = refused.ask(post("{}"));
  CHECK(reply.status == 429);
  CHECK(reply.has("Retry-After: 1"));

  gate.open();
  CHECK(handled.receive().status == 200);
  CHECK(queued.receive().status == 200);
  CHECK(refused.ask(post("{}")).status == 200);
}

TEST_CASE("A request that waited in vain for its turn is answered 503, not to come again") {
  Gate gate;
  ServerOptions options;
  options.workers = 1;
  options.request_timeout = Millis(500);
  TlsServer server(options, std::ref(gate));
  Peer handled = server.connect();
  Peer queued = server.connect();
  REQUIRE(handled.send(post("{}")));
  REQUIRE(eventually([&] { return gate.inside() == 1; }));

  const Reply reply = queued.ask(post("{}"));
  CHECK(reply.status == 503);
  CHECK_FALSE(reply.has("Retry-After"));

  gate.open();
  CHECK(handled.receive().status == 200);
}

TEST_CASE("While it winds down, each reply ends its connection and new ones are served") {
  TlsServer server;
  Peer peer = server.connect();
  REQUIRE_FALSE(peer.ask(post("{}")).has("Connection: close"));

  server.server.wind_down();

  CHECK(peer.ask(post("{}")).has("Connection: close"));
  CHECK(server.connect().ask(post("{}")).has("Connection: close"));
}

TEST_CASE("A stop lets requests in flight finish, closes idle connections and takes no new ones") {
  Gate gate;
  TlsServer server({}, std::ref(gate));
  Peer idle = server.connect();
  Peer half_sent = server.connect();
  Peer in_flight = server.connect();
  REQUIRE(in_flight.send(post("{}")));
  REQUIRE(half_sent.send("POST"));
  REQUIRE(eventually([&] { return gate.inside() == 1; }));

  auto stopped = std::async(std::launch::async, [&] { return server.server.stop(Millis(10'000)); });
  CHECK(idle.closed_within(Millis(5000)));
  CHECK_FALSE(Peer(server.port).connected());
  CHECK(half_sent.send(post("{}").substr(4)));
  gate.open();

  CHECK(in_flight.receive().status == 200);
  CHECK(half_sent.receive().status == 200);
  CHECK(stopped.get());
}

TEST_CASE("A stop cuts off at its limit what does not finish") {
  Gate gate;
  TlsServer server({}, std::ref(gate));
  Peer peer = server.connect();
  REQUIRE(peer.send(post("{}")));
  REQUIRE(eventually([&] { return gate.inside() == 1; }));

  auto stopped = std::async(std::launch::async, [&] { return server.server.stop(Millis(50)); });
  CHECK(peer.closed_within(Millis(5000)));
  gate.open();

  CHECK_FALSE(stopped.get());
}

TEST_CASE("A server that never started, or has stopped, can be stopped") {
  Server never({}, nullptr, echo);
  CHECK(never.stop(Millis(0)));

  PlainServer server;
  CHECK(server.server.stop(Millis(0)));
  CHECK(server.server.stop(Millis(0)));
}

TEST_CASE("What cannot be listened on is named") {
  PlainServer taken;
  ServerOptions same_port;
  same_port.port = taken.port;
  ServerOptions no_address;
  no_address.address = "localhost";

  const auto first = Server(same_port, nullptr, echo).start();
  REQUIRE_FALSE(first.ok());
  CHECK(first.error().message ==
        "cannot listen on all addresses, port " + std::to_string(taken.port) + ": Address already in use");
  const auto second = Server(no_address, nullptr, echo).start();
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().message == "not a numeric IPv4 or IPv6 address to listen on: \"localhost\"");
}

TEST_CASE("An IPv4 or IPv6 address alone can be listened on") {
  ServerOptions options;
  options.address = "127.0.0.1";
  PlainServer ipv4(options);
  CHECK(Peer(ipv4.port).ask(get("/")).status == 200);

  options.address = "::ffff:127.0.0.1";
  PlainServer mapped(options);
  CHECK(Peer(mapped.port).ask(get("/")).status == 200);
}
