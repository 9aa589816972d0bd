// A request whose time is over never reaches a socket, whatever kept it.
#include <atomic>
#include <string>
#include <vector>

#include "test/unit/kube/https_bench.h"

namespace snapfreeze::kube {
namespace {

// Counts the requests that arrive and answers each.
struct CountingServer {
  std::atomic<int> requests = 0;
  TlsServer server{{loopback_serving()}, [this](Peer& peer) {
                     while (!peer.read_request().empty()) {
                       ++requests;
                       peer.write(http_reply("{}"));
                     }
                   }};
};

Mono now() {
  return std::chrono::steady_clock::now();
}

void check_not_sent(const Result<Response>& reply) {
  REQUIRE_FALSE(reply.ok());
  CHECK(reply.error().code == Code::kTransient);
  CHECK(reply.error().http_status == 0);
  CHECK(reply.error().not_sent);
}

TEST_CASE("A request that comes too late is not sent, on a new connection or on a kept one") {
  CountingServer counting;
  const auto client = client_for(counting.server);
  const bool kept = GENERATE(false, true);
  if (kept) REQUIRE(client->call(get_of("/x")).ok());
  const int before = counting.requests;
  Request late = put_of("/x");
  late.send_by = now();
  const auto reply = client->call(late);
  check_not_sent(reply);
  pause(50);
  CHECK(counting.requests == before);
  CHECK(client->call(put_of("/x")).ok());
}

TEST_CASE("A request without any time is not sent either") {
  CountingServer counting;
  const auto client = client_for(counting.server);
  REQUIRE(client->call(get_of("/x")).ok());
  check_not_sent(client->call(put_of("/x", Millis(0))));
  pause(50);
  CHECK(counting.requests == 1);
}

TEST_CASE("Of calls side by side each has its own time") {
  CountingServer counting;
  const auto client = client_for(counting.server);
  std::vector<Request> requests(20, put_of("/x"));
  for (std::size_t i = 0; i < requests.size(); i += 2) requests[i].send_by = now();
  const auto replies = client->call_all(requests);
  for (std::size_t i = 0; i < replies.size(); ++i) {
    CAPTURE(i);
    CHECK(replies[i].ok() == (i % 2 == 1));
    if (i % 2 == 0) check_not_sent(replies[i]);
  }
  CHECK(counting.requests == 10);
}

TEST_CASE("Requests that wait for those before them may run out of time unsent") {
  std::atomic<int> late_ones = 0;
  TlsServer server({loopback_serving()}, [&](Peer& peer) {
    for (std::string request = peer.read_request(); !request.empty(); request = peer.read_request()) {
      if (request.starts_with("PUT /late")) ++late_ones;
      pause(200);
      peer.write(http_reply("{}"));
    }
  });
  const auto client = client_for(server);
  std::vector<Request> requests(HttpsClient::kMaxConnections, put_of("/x"));
  requests.push_back(put_of("/late"));
  requests.back().send_by = now() + Millis(100);
  const auto replies = client->call_all(requests);
  check_not_sent(replies.back());
  CHECK(late_ones == 0);
}

TEST_CASE("A GET whose kept connection was lost is not sent again when its time is over") {
  std::atomic<int> requests = 0;
  TlsServer server({loopback_serving()}, [&](Peer& peer) {
    while (!peer.read_request().empty()) {
      if (++requests == 2) {
        pause(200);
        return peer.die();
      }
      peer.write(http_reply("{}"));
    }
  });
  const auto client = client_for(server);
  REQUIRE(client->call(get_of("/x")).ok());
  Request request = get_of("/x");
  request.send_by = now() + Millis(100);
  CHECK_FALSE(client->call(request).ok());
  CHECK(requests == 2);
}

TEST_CASE("A connection that takes too long is given up before the request is sent") {
  const DeafListener deaf;
  const auto client = client_of(config_for(deaf.port()));
  Request request = put_of("/x");
  request.send_by = now() + Millis(100);
  const Stopwatch watch;
  check_not_sent(client->call(request));
  CHECK(watch.elapsed() < kSlack);
}

TEST_CASE("What was sent and not answered does not count as unsent") {
  TlsServer server({loopback_serving()}, [](Peer& peer) {
    peer.read_request();
    peer.die();
  });
  const auto reply = client_for(server)->call(put_of("/x"));
  REQUIRE_FALSE(reply.ok());
  CHECK_FALSE(reply.error().not_sent);
}

}  // namespace
}  // namespace snapfreeze::kube
