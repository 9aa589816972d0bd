#include "test/unit/kube/https_bench.h"

namespace snapfreeze::kube {
namespace {

void check_given_up(int port, const Request& request) {
  const auto client = client_of(config_for(port));
  const Stopwatch watch;
  const auto reply = client->call(request);
  CHECK(watch.elapsed() >= request.timeout);
  CHECK(watch.elapsed() < request.timeout + kSlack);
  REQUIRE_FALSE(reply.ok());
  CHECK(reply.error().code == Code::kTransient);
  CHECK(reply.error().http_status == 0);
}

TEST_CASE("The time-out bounds the whole call, wherever the server hangs") {
  const Request request = get_of("/x", Millis(300));
  SECTION("before the connection") {
    const DeafListener deaf;
    check_given_up(deaf.port(), request);
  }
  SECTION("in the handshake") {
    TlsServerOptions options{loopback_serving()};
    options.no_handshake = true;
    const TlsServer server(options, echo);
    check_given_up(server.port(), request);
  }
  SECTION("before the reply") {
    const TlsServer server({loopback_serving()}, [](Peer& peer) { peer.wait_for_close(); });
    check_given_up(server.port(), request);
  }
  SECTION("with one byte after the other") {
    const TlsServer server({loopback_serving()}, [](Peer& peer) {
      peer.read_request();
      for (const char byte : http_reply(std::string(10'000, 'x'))) {
        if (!peer.write({&byte, 1})) return;
        pause(5);
      }
    });
    check_given_up(server.port(), request);
  }
  SECTION("with a body that never ends") {
    const TlsServer server({loopback_serving()}, [](Peer& peer) {
      peer.read_request();
      peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      while (peer.write(chunk("x"))) {
      }
    });
    check_given_up(server.port(), request);
  }
  SECTION("without reading the request") {
    const TlsServer server({loopback_serving()}, [](Peer& peer) { peer.hang(); });
    Request large = put_of("/x", Millis(300));
    large.body.assign(16 << 20, 'x');
    check_given_up(server.port(), large);
  }
}

TEST_CASE("A server that dies in its reply is an error at once") {
  const std::string part = GENERATE(as<std::string>(), "", "HTTP/1.1 200 OK\r\nContent-Le",
                                    "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  const bool politely = GENERATE(true, false);
  CAPTURE(part, politely);
  TlsServer server({loopback_serving()}, [&](Peer& peer) {
    peer.read_request();
    if (!part.empty()) peer.write(part);
    if (!politely) peer.die();
  });
  const Stopwatch watch;
  const auto reply = client_for(server)->call(put_of("/x"));
  REQUIRE_FALSE(reply.ok());
  CHECK(reply.error().code == Code::kTransient);
  CHECK(watch.elapsed() < kSlack);
}

TEST_CASE("Nobody listening is an error that says so") {
  int port = 0;
  { port = DeafListener().port(); }
  const auto reply = client_of(config_for(port))->call(get_of("/things?limit=1"));
  REQUIRE_FALSE(reply.ok());
  CHECK(reply.error().message == "GET /things: connect: Connection refused");
}

TEST_CASE("A host that cannot be found is an error that names it") {
  Config config = config_for(1);
  config.host = "no-such-host.invalid";
  const Stopwatch watch;
  const auto reply = client_of(config)->call(get_of("/x", Millis(300)));
  REQUIRE_FALSE(reply.ok());
  CHECK(reply.error().message.find("no-such-host.invalid") != std::string::npos);
  CHECK(watch.elapsed() < Millis(300) + kSlack);
}

TEST_CASE("A reply over the limit is refused") {
  TlsServer server({loopback_serving()}, [](Peer& peer) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string megabyte = chunk(std::string(1 << 20, 'x'));
    while (peer.write(megabyte)) {
    }
  });
  const auto reply = client_for(server)->call(get_of("/x", Millis(30'000)));
  REQUIRE_FALSE(reply.ok());
  CHECK(reply.error().message.find("over 16 MiB") != std::string::npos);
  CHECK(reply.error().too_large);
}

}  // namespace
}  // namespace snapfreeze::kube
