// Longhorn's own REST API over plain HTTP, in real time.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/double/face/http1.h"
#include "test/double/face/longhorn_face.h"
#include "test/double/truth.h"
#include "test/support/catch.h"

using namespace cluster;
using namespace std::chrono_literals;

namespace {

// The same backend behind plain HTTP, in real time, and a caller of it.
struct BackendOverHttp {
  ThreadRuntime runtime;
  Truth truth{runtime};
  LonghornBackend backend{runtime, truth};
  LonghornFace face{runtime, backend, 0};
  int socket = -1;

  BackendOverHttp() {
    const Lock lock = runtime.lock();
    backend.add_volume("pvc-1", {});
    backend.add_snapshot("pvc-1", "snapshot-1", "2026-11-29T02:30:00Z");
  }
  ~BackendOverHttp() { hang_up(); }

  void hang_up() {
    if (socket >= 0) close(socket);
    socket = -1;
  }
  void call() {
    socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(face.port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{10, 0};
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    REQUIRE(connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  void send() {
    const std::string body = R"({"name":"snapshot-1"})";
    const std::string text =
        "POST /v1/volumes/pvc-1?action=snapshotGet HTTP/1.1\r\nHost: longhorn\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body;
    REQUIRE(::send(socket, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
  }
  std::size_t receive(char* into, std::size_t size) const {
    const ssize_t count = recv(socket, into, size, 0);
    return count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  // The body of a whole reply; "" when none came.
  std::string reply() {
    Http1Reader reader([this](char* into, std::size_t size) { return receive(into, size); });
    HttpHead head;
    std::string body;
    return reader.head(head) && reader.body(head, false, body) ? body : "";
  }
  void set_mood(const std::string& mood) {
    const Lock lock = runtime.lock();
    backend.set_mood(backend_mood(mood));
  }
};

}  // namespace

TEST_CASE("Longhorn answers over plain HTTP, several times on one connection, and each call is noted") {
  BackendOverHttp longhorn;
  longhorn.call();
  for (int i = 0; i < 3; ++i) {
    longhorn.send();
    CHECK(Json::parse(longhorn.reply())["name"] == "snapshot-1");
  }
  const Lock lock = longhorn.runtime.lock();
  REQUIRE(longhorn.truth.timeline().size() == 3);
  CHECK(longhorn.truth.timeline().back().kind == "longhorn");
  CHECK(longhorn.truth.timeline().back().object == "pvc-1");
}

TEST_CASE("over HTTP a huge answer comes whole, and one that is cut short does not") {
  BackendOverHttp longhorn;
  longhorn.set_mood("huge");
  longhorn.call();
  longhorn.send();
  CHECK(longhorn.reply().size() > 8 * 1024 * 1024);
  longhorn.set_mood("cut-short");
  longhorn.send();
  CHECK(longhorn.reply().empty());
}

TEST_CASE("over HTTP a Longhorn that is gone closes, and one that hangs or dribbles does not answer in time") {
  BackendOverHttp longhorn;
  longhorn.set_mood("gone");
  longhorn.call();
  longhorn.send();
  char byte = 0;
  CHECK(longhorn.receive(&byte, 1) == 0);
  longhorn.hang_up();

  const auto received_within = [&](Millis so_long) {
    const timeval patience{0, std::chrono::duration_cast<std::chrono::microseconds>(so_long).count()};
    setsockopt(longhorn.socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    char bytes[4096];
    std::size_t all = 0;
    const Mono end = std::chrono::steady_clock::now() + so_long;
    while (std::chrono::steady_clock::now() < end) all += longhorn.receive(bytes, sizeof bytes);
    return all;
  };
  longhorn.set_mood("hangs");
  longhorn.call();
  longhorn.send();
  CHECK(received_within(400ms) == 0);
  longhorn.hang_up();

  longhorn.set_mood("dribbles");
  longhorn.call();
  longhorn.send();
  const std::size_t came = received_within(500ms);
  CHECK(came >= 1);
  CHECK(came <= 7);
}

TEST_CASE("a Longhorn that is stopped leaves nobody waiting, not even who waits for a hung answer") {
  BackendOverHttp longhorn;
  longhorn.set_mood("hangs");
  longhorn.call();
  longhorn.send();
  std::this_thread::sleep_for(100ms);
  const Mono begun = std::chrono::steady_clock::now();
  longhorn.face.stop();
  CHECK(std::chrono::steady_clock::now() - begun < 2s);
  char byte = 0;
  CHECK(longhorn.receive(&byte, 1) == 0);
}
