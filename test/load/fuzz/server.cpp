// A server on a real socket: whatever a peer sends, it gets an answer or the connection ends, and the next peer is
// served.
#include "edge/server.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>

#include "test/load/fuzz/fuzz.h"

using snapfreeze::fuzz::must;
namespace edge = snapfreeze::edge;

namespace {

constexpr std::string_view kGood =
    "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: "
    "close\r\n\r\nhi";

// Small limits, so that they are reached.
std::uint16_t start_server() {
  std::signal(SIGPIPE, SIG_IGN);
  edge::ServerOptions options;
  options.address = "127.0.0.1";
  options.workers = 2;
  options.limits = {1024, 2048};
  static edge::Server server(options, nullptr, [](const edge::HttpRequest& request) {
    edge::HttpResponse response;
    response.body = request.body;
    return response;
  });
  const auto port = server.start();
  must(port.ok(), "the server starts");
  return *port;
}

// libFuzzer looks at its clock every few seconds, by a signal that would cut our calls short. It comes afterwards.
class Undisturbed {
 public:
  Undisturbed() {
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarm, &before_);
  }
  ~Undisturbed() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  Undisturbed(const Undisturbed&) = delete;
  Undisturbed& operator=(const Undisturbed&) = delete;

 private:
  sigset_t before_{};
};

// What the server answers until it ends the connection, which it must within 5 s.
std::string exchange(std::uint16_t port, std::string_view bytes) {
  const Undisturbed undisturbed;
  const int peer = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval limit{5, 0};
  ::setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  must(::connect(peer, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "the server takes a peer");
  (void)::send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  ::shutdown(peer, SHUT_WR);
  std::string answer;
  char buffer[4096];
  ssize_t count = 0;
  while ((count = ::recv(peer, buffer, sizeof buffer, 0)) > 0) answer.append(buffer, static_cast<std::size_t>(count));
  const bool ended = count == 0 || errno == ECONNRESET;
  // A reset, so that a hundred thousand peers leave no socket in TIME_WAIT.
  const linger at_once{1, 0};
  ::setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(peer);
  must(ended, "the server ends the connection");
  return answer;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::uint16_t port = start_server();
  const std::string answer = exchange(port, snapfreeze::fuzz::text_of(data, size));
  must(answer.empty() || answer.starts_with("HTTP/1.1 "), "an answer is HTTP");
  const std::string good = exchange(port, kGood);
  must(good.starts_with("HTTP/1.1 200") && good.ends_with("\r\n\r\nhi"), "the next peer is served");
  return 0;
}
