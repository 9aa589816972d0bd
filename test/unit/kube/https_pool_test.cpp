#include <algorithm>
#include <atomic>
#include <future>
#include <vector>

#include "test/unit/kube/https_bench.h"

namespace snapfreeze::kube {
namespace {

TEST_CASE("A connection is kept for the next call") {
  TlsServer server({loopback_serving()}, echo);
  const auto client = client_for(server);
  for (int i = 0; i < 5; ++i) CHECK(client->call(get_of("/x")).ok());
  CHECK(server.connections() == 1);
}

TEST_CASE("A kept connection that the server has closed is not used, whatever the method") {
  TlsServer server({loopback_serving()}, [](Peer& peer) {
    peer.read_request();
    peer.write(http_reply("{}"));
  });
  const auto client = client_for(server);
  for (int i = 0; i < 3; ++i) {
    CHECK(client->call(put_of("/x")).ok());
    server.wait_until_all_closed();
  }
  CHECK(server.connections() == 3);
}

// The first connection answers one request and dies of the second; the others answer.
struct DyingServer {
  std::atomic<int> requests = 0;
  TlsServer server{{loopback_serving()}, [this](Peer& peer) {
                     const bool first = server.connections() == 1;
                     while (!peer.read_request().empty()) {
                       ++requests;
                       if (first && requests > 1) return peer.die();
                       peer.write(http_reply("{}"));
                     }
                   }};
};

TEST_CASE("A GET that is lost on a kept connection is sent again, once") {
  DyingServer dying;
  const auto client = client_for(dying.server);
  REQUIRE(client->call(get_of("/x")).ok());
  CHECK(client->call(get_of("/x")).ok());
  CHECK(dying.requests == 3);
}

TEST_CASE("Anything but a GET is never sent again, for it may have been done") {
  const Method method = GENERATE(Method::kPost, Method::kPut, Method::kPatch, Method::kDelete);
  DyingServer dying;
  const auto client = client_for(dying.server);
  REQUIRE(client->call(get_of("/x")).ok());
  Request request = put_of("/x");
  request.method = method;
  CHECK_FALSE(client->call(request).ok());
  CHECK(dying.requests == 2);
}

TEST_CASE("A GET that is lost on a new connection is not sent again") {
  std::atomic<int> requests = 0;
  TlsServer server({loopback_serving()}, [&](Peer& peer) {
    peer.read_request();
    ++requests;
    peer.die();
  });
  CHECK_FALSE(client_for(server)->call(get_of("/x")).ok());
  CHECK(requests == 1);
}

TEST_CASE("Calls from many threads get their own replies") {
  TlsServer server({loopback_serving()}, echo);
  const auto client = client_for(server);
  std::vector<std::future<bool>> threads;
  for (int thread = 0; thread < 12; ++thread) {
    threads.push_back(std::async(std::launch::async, [&client, thread] {
      for (int i = 0; i < 20; ++i) {
        const std::string path = "/" + std::to_string(thread) + "/" + std::to_string(i);
        const auto reply = client->call(get_of(path));
        if (!reply.ok() || reply->body != "GET " + path + " HTTP/1.1") return false;
      }
      return true;
    }));
  }
  CHECK(std::ranges::all_of(threads, [](auto& thread) { return thread.get(); }));
}

TEST_CASE("Calls side by side take the time of one, and keep their order") {
  TlsServer server({loopback_serving()}, [](Peer& peer) {
    for (std::string request = peer.read_request(); !request.empty(); request = peer.read_request()) {
      pause(300);
      peer.write(http_reply(request.substr(0, request.find(" HTTP"))));
    }
  });
  std::vector<Request> requests;
  for (int i = 0; i < 8; ++i) requests.push_back(get_of("/" + std::to_string(i)));
  const Stopwatch watch;
  const auto replies = client_for(server)->call_all(requests);
  CHECK(watch.elapsed() < Millis(1500));
  REQUIRE(replies.size() == 8);
  for (int i = 0; i < 8; ++i) {
    REQUIRE(replies[i].ok());
    CHECK(replies[i]->body == "GET /" + std::to_string(i));
  }
}

TEST_CASE("More calls than connections all get their replies") {
  TlsServer server({loopback_serving()}, echo);
  std::vector<Request> requests;
  for (int i = 0; i < 20; ++i) requests.push_back(get_of("/" + std::to_string(i)));
  const auto replies = client_for(server)->call_all(requests);
  REQUIRE(replies.size() == 20);
  for (int i = 0; i < 20; ++i) CHECK(replies[i]->body == "GET /" + std::to_string(i) + " HTTP/1.1");
  CHECK(server.connections() <= 8);
}

TEST_CASE("Of calls side by side, one that hangs fails alone and in time") {
  TlsServer server({loopback_serving()}, [](Peer& peer) {
    const std::string request = peer.read_request();
    if (request.starts_with("GET /hang")) return peer.wait_for_close();
    peer.write(http_reply("{}"));
  });
  const std::vector<Request> requests{get_of("/hang", Millis(1000)), get_of("/a", Millis(1000)),
                                      get_of("/b", Millis(1000))};
  const Stopwatch watch;
  const auto replies = client_for(server)->call_all(requests);
  CHECK(watch.elapsed() < Millis(1000) + kSlack);
  CHECK_FALSE(replies[0].ok());
  CHECK(replies[1].ok());
  CHECK(replies[2].ok());
}

}  // namespace
}  // namespace snapfreeze::kube
