// The client for Longhorn's API against servers that do everything a server can do wrong.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <thread>
#include <vector>

#include "sweeper/longhorn/answer.h"
#include "sweeper/longhorn/http_longhorn.h"
#include "test/support/catch.h"

namespace longhorn_http_test {

using namespace snapfreeze;
using namespace std::chrono_literals;
using sweeper::HttpLonghorn;

namespace {

using Serve = std::function<void(int fd)>;

// Gives each connection to `serve`, in a thread of its own, and closes it afterwards.
class Server {
 public:
  explicit Server(Serve serve) : serve_(std::move(serve)) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(listener_, 64) == 0);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~Server() {
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    close(listener_);
    for (const int fd : fds_) shutdown(fd, SHUT_RDWR);
    for (std::thread& thread : threads_) thread.join();
    for (const int fd : fds_) close(fd);
  }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void accept_all() {
    for (;;) {
      const int fd = accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      ++connections_;
      fds_.push_back(fd);
      threads_.emplace_back([this, fd] {
        serve_(fd);
        shutdown(fd, SHUT_RDWR);
      });
    }
  }

  const Serve serve_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_{0};
  std::vector<int> fds_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// Up to the end of a request with a body; "" once the peer is gone.
std::string read_request(int fd) {
  std::string bytes;
  char buffer[4096];
  for (;;) {
    const auto head = bytes.find("\r\n\r\n");
    const auto length = bytes.find("Content-Length: ");
    if (head != std::string::npos && length != std::string::npos &&
        bytes.size() >= head + 4 + std::stoul(bytes.substr(length + 16))) {
      return bytes;
    }
    const auto count = recv(fd, buffer, sizeof buffer, 0);
    if (count <= 0) return "";
    bytes.append(buffer, static_cast<std::size_t>(count));
  }
}

std::string reply(const std::string& body, const std::string& status = "200 OK") {
  return "HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

std::unique_ptr<HttpLonghorn> client_of(const std::string& url) {
  auto made = HttpLonghorn::make(url);
  REQUIRE(made.ok());
  return std::move(*made);
}

Result<sweeper::HttpAnswer> ask(HttpLonghorn& client, Millis timeout = 300ms) {
  return client.post("/v1/volumes/pv-1?action=snapshotGet", R"({"name":"snapshot-1"})", timeout);
}

// What is asked of a server that never answers as it should.
void check_fails_in_time(const Serve& serve) {
  Server server(serve);
  const auto client = client_of(server.url());
  const auto begin = std::chrono::steady_clock::now();
  const auto answer = ask(*client);
  CHECK(std::chrono::steady_clock::now() - begin < 2s);  // 0.3 s, but for a busy machine
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().code == Code::kTransient);
}

}  // namespace

// What the product gets from its own threads: a peer that has gone is an error, no signal.
const auto kNoSignals = std::signal(SIGPIPE, SIG_IGN);

TEST_CASE("the question is one POST of JSON, and its answer comes back as it was given") {
  std::string asked;
  Server server([&](int fd) {
    asked = read_request(fd);
    write_all(fd, reply("{\"type\":\"error\"}", "500 Internal Server Error"));
    read_request(fd);
  });
  const auto client = client_of(server.url());
  const auto answer = ask(*client, 2s);
  REQUIRE(answer.ok());
  CHECK(answer->status == 500);
  CHECK(answer->body == "{\"type\":\"error\"}");
  CHECK(asked.starts_with("POST /v1/volumes/pv-1?action=snapshotGet HTTP/1.1\r\n"));
  CHECK(asked.find("Content-Type: application/json\r\n") != std::string::npos);
  CHECK(asked.find("Accept: application/json\r\n") != std::string::npos);
  CHECK(asked.ends_with("\r\n\r\n{\"name\":\"snapshot-1\"}"));
}

TEST_CASE("a connection is kept for the next question, and one that was closed is replaced without a word") {
  std::atomic<int> left{20};
  Server server([&](int fd) {
    while (!read_request(fd).empty() && write_all(fd, reply("{}"))) {
      if (--left == 10) return;
    }
  });
  const auto client = client_of(server.url());
  for (int i = 0; i < 20; ++i) REQUIRE(ask(*client, 2s).ok());
  CHECK(server.connections() == 2);
}

TEST_CASE("whatever a server does, a question ends in time, and without an answer that is none") {
  SECTION("silent") {
    check_fails_in_time([](int fd) { read_request(fd), read_request(fd); });
  }
  SECTION("a byte at a time, of the status line") {
    check_fails_in_time([](int fd) {
      for (const char c : reply("{}")) {
        if (!write_all(fd, {&c, 1})) return;
        std::this_thread::sleep_for(60ms);
      }
    });
  }
  SECTION("a byte at a time, of the body") {
    check_fails_in_time([](int fd) {
      write_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
      for (int i = 0; i < 100 && write_all(fd, "x"); ++i) std::this_thread::sleep_for(60ms);
    });
  }
  SECTION("chunks without an end") {
    check_fails_in_time([](int fd) {
      write_all(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      while (write_all(fd, "1\r\nx\r\n")) std::this_thread::sleep_for(20ms);
    });
  }
  SECTION("a header without an end") {
    check_fails_in_time([](int fd) {
      write_all(fd, "HTTP/1.1 200 OK\r\nX: ");
      const std::string much(65536, 'x');
      while (write_all(fd, much)) continue;
    });
  }
  SECTION("headers without an end") {
    check_fails_in_time([](int fd) {
      write_all(fd, "HTTP/1.1 200 OK\r\n");
      while (write_all(fd, "X-Header: value\r\n")) continue;
    });
  }
  SECTION("100 Continue for ever") {
    check_fails_in_time([](int fd) {
      while (write_all(fd, "HTTP/1.1 100 Continue\r\n\r\n")) std::this_thread::sleep_for(10ms);
    });
  }
  SECTION("8 MiB") {
    check_fails_in_time([](int fd) {
      read_request(fd);
      write_all(fd, reply(std::string(8 * 1024 * 1024, ' ')));
    });
  }
  SECTION("8 MiB that it does not announce") {
    check_fails_in_time([](int fd) {
      read_request(fd);
      write_all(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
      write_all(fd, std::string(8 * 1024 * 1024, ' '));
    });
  }
  SECTION("not HTTP") {
    check_fails_in_time([](int fd) { write_all(fd, "SSH-2.0-OpenSSH_9.2\r\n"); });
  }
  SECTION("closed at once") {
    check_fails_in_time([](int) {});
  }
  SECTION("closed in the middle of the body") {
    check_fails_in_time([](int fd) {
      read_request(fd);
      write_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"name\":");
    });
  }
}

TEST_CASE("nobody listens, or the name is none: an error in time") {
  std::string url;
  {
    Server gone([](int) {});
    url = gone.url();
  }
  CHECK(ask(*client_of(url)).error().code == Code::kTransient);
  CHECK(ask(*client_of("http://no-such-host.invalid:9500")).error().code == Code::kTransient);
}

TEST_CASE("stopped, a call under way ends at once, and none begins") {
  std::atomic<bool> asked{false};
  Server server([&](int fd) {
    read_request(fd);
    asked = true;
    read_request(fd);
  });
  const auto client = client_of(server.url());
  std::jthread stopper([&] {
    while (!asked) std::this_thread::sleep_for(1ms);
    client->stop();
  });
  const auto begin = std::chrono::steady_clock::now();
  const auto answer = ask(*client, 30s);
  CHECK(std::chrono::steady_clock::now() - begin < 2s);
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().code == Code::kCancelled);
  CHECK(ask(*client).error().code == Code::kCancelled);
}

TEST_CASE("several ask at once, each over a connection of its own; one that hangs holds up no other") {
  std::atomic<int> turn{0};
  Server server([&](int fd) {
    if (turn++ == 0) {
      read_request(fd), read_request(fd);
      return;
    }
    while (!read_request(fd).empty() && write_all(fd, reply("{}"))) continue;
  });
  const auto client = client_of(server.url());
  std::jthread hangs([&] { CHECK_FALSE(ask(*client, 1s).ok()); });
  while (turn == 0) std::this_thread::sleep_for(1ms);
  for (int i = 0; i < 50; ++i) CHECK(ask(*client, 1s).ok());
}

TEST_CASE("only a plain http URL of a host will do") {
  CHECK(HttpLonghorn::make("http://longhorn-backend.longhorn-system:9500").ok());
  CHECK(HttpLonghorn::make("http://[::1]:9500/").ok());
  for (const std::string url : {"", "longhorn-backend:9500", "https://longhorn-backend:9500", "http://", "http://a:0",
                                "http://a:9500/v1", "http://a:9500?x", "http://user@a:9500", "http://a b:9500"}) {
    CAPTURE(url);
    const auto made = HttpLonghorn::make(url);
    REQUIRE_FALSE(made.ok());
    CHECK(made.error().code == Code::kMalformed);
  }
}

}  // namespace longhorn_http_test
