#include <vector>

#include "test/unit/kube/https_bench.h"

namespace snapfreeze::kube {
namespace {

constexpr char kStreamHead[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

struct Streamed {
  std::vector<std::string> lines;
  Result<void> end;
  Millis elapsed{};
};

Streamed stream_of(HttpsClient& client, Millis idle = Millis(5000), std::size_t most = 1000) {
  Streamed streamed;
  const Stopwatch watch;
  streamed.end = client.stream(get_of("/x?watch=true"), idle, [&](std::string_view line) {
    streamed.lines.emplace_back(line);
    return streamed.lines.size() < most;
  });
  streamed.elapsed = watch.elapsed();
  return streamed;
}

TEST_CASE("A stream hands over whole lines, however they are cut") {
  TlsServer server({loopback_serving()}, [](Peer& peer) {
    peer.read_request();
    peer.write(kStreamHead);
    peer.write(chunk("one\ntw"));
    pause(20);
    peer.write(chunk("o\n") + chunk("three\n\nfive\n") + "0\r\n\r\n");
  });
  const Streamed streamed = stream_of(*client_for(server));
  CHECK(streamed.end.ok());
  CHECK(streamed.lines == std::vector<std::string>{"one", "two", "three", "", "five"});
}

TEST_CASE("A line may be as large as any object") {
  const std::string large(5 << 20, 'x');
  TlsServer server({loopback_serving()}, [&](Peer& peer) {
    peer.read_request();
    peer.write(kStreamHead);
    for (std::size_t i = 0; i < large.size(); i += 100'000)
      peer.write(chunk(std::string_view(large).substr(i, 100'000)));
    peer.write(chunk("\n") + "0\r\n\r\n");
  });
  const Streamed streamed = stream_of(*client_for(server));
  REQUIRE(streamed.lines.size() == 1);
  CHECK(streamed.lines[0] == large);
}

TEST_CASE("A line without an end is refused") {
  TlsServer server({loopback_serving()}, [](Peer& peer) {
    peer.read_request();
    peer.write(kStreamHead);
    const std::string piece = chunk(std::string(1 << 20, 'x'));
    while (peer.write(piece)) {
    }
  });
  const Streamed streamed = stream_of(*client_for(server));
  REQUIRE_FALSE(streamed.end.ok());
  CHECK(streamed.end.error().message.find("16 MiB") != std::string::npos);
}

TEST_CASE("A stream that is refused has the status and the message of the reply") {
  TlsServer server({loopback_serving()}, [](Peer& peer) {
    peer.read_request();
    peer.write(http_reply(R"({"kind":"Status","message":"too old resource version"})", 410));
  });
  const Streamed streamed = stream_of(*client_for(server));
  REQUIRE_FALSE(streamed.end.ok());
  CHECK(streamed.end.error().code == Code::kGone);
  CHECK(streamed.end.error().http_status == 410);
  CHECK(streamed.end.error().message == "GET /x: HTTP 410: too old resource version");
}

TEST_CASE("A silent stream ends after its idle time, which each byte begins anew") {
  TlsServer server({loopback_serving()}, [](Peer& peer) {
    peer.read_request();
    peer.write(kStreamHead);
    for (int i = 0; i < 3; ++i) {
      pause(300);
      peer.write(chunk("line\n"));
    }
    peer.wait_for_close();
  });
  const Streamed streamed = stream_of(*client_for(server), Millis(600));
  CHECK(streamed.end.ok());
  CHECK(streamed.lines.size() == 3);
  CHECK(streamed.elapsed >= Millis(1500));
  CHECK(streamed.elapsed < Millis(1500) + kSlack);
}

TEST_CASE("A stream whose head does not come is given up in time") {
  TlsServer server({loopback_serving()}, [](Peer& peer) { peer.wait_for_close(); });
  const Stopwatch watch;
  const auto end = client_for(server)->stream(get_of("/x", Millis(200)), Millis(60'000), [](auto) { return true; });
  CHECK_FALSE(end.ok());
  CHECK(watch.elapsed() < Millis(200) + kSlack);
}

TEST_CASE("A stream ends when the sink has had enough") {
  TlsServer server({loopback_serving()}, [](Peer& peer) {
    peer.read_request();
    peer.write(kStreamHead + chunk("one\ntwo\nthree\n"));
    peer.wait_for_close();
  });
  const Streamed streamed = stream_of(*client_for(server), Millis(5000), 2);
  CHECK(streamed.end.ok());
  CHECK(streamed.lines.size() == 2);
  CHECK(streamed.elapsed < kSlack);
}

TEST_CASE("A stream that dies in a line is an error, and the part is not handed over") {
  TlsServer server({loopback_serving()}, [](Peer& peer) {
    peer.read_request();
    peer.write(kStreamHead + chunk("one\n{\"type\":\"ADD"));
    pause(50);
    peer.die();
  });
  const Streamed streamed = stream_of(*client_for(server));
  REQUIRE_FALSE(streamed.end.ok());
  CHECK(streamed.end.error().code == Code::kTransient);
  CHECK(streamed.lines == std::vector<std::string>{"one"});
}

void check_stopped(HttpsClient& client) {
  std::thread stopper([&] {
    pause(100);
    client.stop_streams();
  });
  const Streamed streamed = stream_of(client, Millis(60'000));
  stopper.join();
  REQUIRE_FALSE(streamed.end.ok());
  CHECK(streamed.end.error().code == Code::kCancelled);
  CHECK(streamed.elapsed < kSlack);
}

TEST_CASE("A stop ends a stream at once, wherever it waits") {
  SECTION("for a connection") {
    const DeafListener deaf;
    check_stopped(*client_of(config_for(deaf.port())));
  }
  SECTION("for a head") {
    TlsServer server({loopback_serving()}, [](Peer& peer) { peer.wait_for_close(); });
    check_stopped(*client_for(server));
  }
  SECTION("for a line") {
    TlsServer server({loopback_serving()}, [](Peer& peer) {
      peer.write(kStreamHead);
      peer.wait_for_close();
    });
    check_stopped(*client_for(server));
  }
  SECTION("while lines come without pause") {
    TlsServer server({loopback_serving()}, [](Peer& peer) {
      peer.write(kStreamHead);
      while (peer.write(chunk("line\n"))) {
      }
    });
    const auto client = client_for(server);
    std::thread stopper([&] {
      pause(100);
      client->stop_streams();
    });
    const auto end = client->stream(get_of("/x"), Millis(60'000), [](auto) { return true; });
    stopper.join();
    REQUIRE_FALSE(end.ok());
    CHECK(end.error().code == Code::kCancelled);
  }
}

TEST_CASE("After a stop no stream begins, but calls go on") {
  TlsServer server({loopback_serving()}, echo);
  const auto client = client_for(server);
  client->stop_streams();
  CHECK(stream_of(*client).end.error().code == Code::kCancelled);
  CHECK(client->call(put_of("/x")).ok());
}

}  // namespace
}  // namespace snapfreeze::kube
