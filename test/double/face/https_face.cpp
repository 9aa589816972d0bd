#include "test/double/face/https_face.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "test/double/api/status.h"
#include "test/double/face/http1.h"

namespace cluster {

HttpsFace::HttpsFace(ThreadRuntime& runtime, SslContext context, int port, std::map<std::string, std::string> users,
                     Handler handler)
    : runtime_(runtime), context_(std::move(context)), users_(std::move(users)), handler_(std::move(handler)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 1024) != 0) {
    const int failure = errno;
    close(listener_);
    throw std::system_error(failure, std::generic_category(), "port " + std::to_string(port));
  }
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  const std::lock_guard<std::mutex> guard(mutex_);
  fibers_.push_back(runtime_.spawn("accept", [this] { accept_connections(); }));
}

void HttpsFace::stop() {
  std::vector<FiberRef> fibers;
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    if (stopping_) return;
    stopping_ = true;
    shutdown(listener_, SHUT_RDWR);
    for (const int open : sockets_) shutdown(open, SHUT_RDWR);
    fibers.swap(fibers_);
  }
  for (const FiberRef& fiber : fibers) runtime_.kill(fiber);
  for (const FiberRef& fiber : fibers) runtime_.join(fiber);
  close(listener_);
}

void HttpsFace::accept_connections() {
  while (true) {
    const int connected = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const std::lock_guard<std::mutex> guard(mutex_);
    if (stopping_) {
      if (connected >= 0) close(connected);
      return;
    }
    if (connected < 0) continue;
    std::erase_if(fibers_, [](const FiberRef& fiber) { return fiber->done.load(); });
    sockets_.insert(connected);
    fibers_.push_back(runtime_.spawn("connection", [this, connected] { serve(connected); }));
  }
}

void HttpsFace::serve(int socket) {
  // The stream closes the socket; before that nobody may shut it down any more, as its number may be used again.
  struct Forget {
    HttpsFace& face;
    int socket;
    ~Forget() {
      const std::lock_guard<std::mutex> guard(face.mutex_);
      face.sockets_.erase(socket);
    }
  };
  TlsStream stream(context_, socket);
  const Forget forget{*this, socket};
  if (!stream.accept()) return;
  Http1Reader reader([&](char* into, std::size_t size) { return stream.read(into, size); });
  HttpHead head;
  while (reader.head(head)) {
    HttpRequest request;
    const std::size_t first = head.start_line.find(' ');
    const std::size_t last = head.start_line.rfind(' ');
    if (first == std::string::npos || first == last) return;
    request.method = head.start_line.substr(0, first);
    request.set_target(std::string_view(head.start_line).substr(first + 1, last - first - 1));
    if (!reader.body(head, false, request.body)) return;
    const bool keep_alive = head.headers["connection"] != "close";
    request.headers = std::move(head.headers);
    if (!exchange(stream, request, keep_alive)) return;
  }
}

bool HttpsFace::identify(HttpRequest& request) const {
  request.user_agent = request.headers["user-agent"];
  constexpr std::string_view kBearer = "Bearer ";
  const std::string& authorization = request.headers["authorization"];
  if (authorization.rfind(kBearer, 0) != 0) {
    request.caller = request.user_agent.substr(0, request.user_agent.find('/'));
    return true;
  }
  const auto user = users_.find(authorization.substr(kBearer.size()));
  if (user == users_.end()) return false;
  request.caller = user->second;
  return true;
}

// False when the connection is to be closed.
bool HttpsFace::exchange(TlsStream& stream, HttpRequest& request, bool keep_alive) {
  const Reply reply = identify(request) ? handler_(request) : refuse(401, "Unauthorized", "Unauthorized");
  if (reply.dropped) return false;
  if (reply.stream) {
    stream_watch(stream, reply);
    return false;
  }
  if (!stream.write(format_reply(reply, keep_alive))) return false;
  if (!keep_alive) stream.close_cleanly();
  return keep_alive;
}

// A watch that ends in the middle of a line ends as a broken connection does, without the last chunk.
void HttpsFace::stream_watch(TlsStream& stream, const Reply& reply) {
  if (!stream.write(format_stream_head(reply))) return;
  bool whole = true;
  reply.stream([&](std::string_view bytes) {
    if (bytes.empty()) return stream.peer_listens();
    whole = bytes.back() == '\n';
    return stream.write(format_chunk(bytes));
  });
  if (!whole || !stream.write("0\r\n\r\n")) return;
  stream.close_cleanly();
}

}  // namespace cluster
