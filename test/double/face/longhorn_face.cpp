#include "test/double/face/longhorn_face.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "test/double/face/http1.h"

namespace cluster {
namespace {

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// False when the peer has gone, or the time is over.
bool stays(int socket, Millis so_long) {
  pollfd entry{socket, POLLIN | POLLRDHUP, 0};
  return ::poll(&entry, 1, static_cast<int>(so_long.count())) == 0;
}

bool split_start_line(const std::string& line, HttpRequest& request) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string::npos || first == last) return false;
  request.method = line.substr(0, first);
  request.set_target(std::string_view(line).substr(first + 1, last - first - 1));
  return true;
}

}  // namespace

LonghornFace::LonghornFace(ThreadRuntime& runtime, LonghornBackend& backend, int port)
    : runtime_(runtime), backend_(backend) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 128) != 0) {
    const int failure = errno;
    ::close(listener_);
    throw std::system_error(failure, std::generic_category(), "Longhorn's port " + std::to_string(port));
  }
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  const std::lock_guard<std::mutex> guard(mutex_);
  fibers_.push_back(runtime_.spawn("longhorn", [this] { accept_connections(); }));
}

void LonghornFace::stop() {
  std::vector<FiberRef> fibers;
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    if (stopping_) return;
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    for (const int open : sockets_) ::shutdown(open, SHUT_RDWR);
    fibers.swap(fibers_);
  }
  for (const FiberRef& fiber : fibers) runtime_.kill(fiber);
  for (const FiberRef& fiber : fibers) runtime_.join(fiber);
  ::close(listener_);
}

void LonghornFace::accept_connections() {
  while (true) {
    const int connected = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const std::lock_guard<std::mutex> guard(mutex_);
    if (stopping_) {
      if (connected >= 0) ::close(connected);
      return;
    }
    if (connected < 0) continue;
    const int on = 1;
    ::setsockopt(connected, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::erase_if(fibers_, [](const FiberRef& fiber) { return fiber->done.load(); });
    sockets_.insert(connected);
    fibers_.push_back(runtime_.spawn("longhorn", [this, connected] { serve(connected); }));
  }
}

void LonghornFace::serve(int socket) {
  struct Close {
    LonghornFace& face;
    int socket;
    ~Close() {
      const std::lock_guard<std::mutex> guard(face.mutex_);
      face.sockets_.erase(socket);
      ::close(socket);
    }
  } const close{*this, socket};
  Http1Reader reader([&](char* into, std::size_t size) {
    const ssize_t count = ::recv(socket, into, size, 0);
    return count > 0 ? static_cast<std::size_t>(count) : 0;
  });
  HttpHead head;
  while (reader.head(head)) {
    HttpRequest request;
    if (!split_start_line(head.start_line, request) || !reader.body(head, false, request.body)) return;
    const bool keep_alive = head.headers["connection"] != "close";
    backend_.note_call(request);
    if (!exchange(socket, request, keep_alive)) return;
  }
}

// False when the connection is to be closed.
bool LonghornFace::exchange(int socket, const HttpRequest& request, bool keep_alive) {
  const BackendReply said = backend_.answer(request);
  const std::string text = format_reply(said.reply, keep_alive);
  switch (said.pace) {
    case BackendReply::Pace::kAtOnce:
      return send_all(socket, text) && keep_alive;
    case BackendReply::Pace::kDribbles:
      return dribble(socket, text) && keep_alive;
    case BackendReply::Pace::kHangs:
      while (stays(socket, kDribbleEvery)) runtime_.sleep_for(Millis(0));
      return false;
    case BackendReply::Pace::kCloses:
      return false;
    case BackendReply::Pace::kCutShort:
      send_all(socket, std::string_view(text).substr(0, text.size() - said.reply.body.size() / 2));
      return false;
  }
  return false;
}

bool LonghornFace::dribble(int socket, std::string_view bytes) {
  for (const char byte : bytes) {
    if (!send_all(socket, std::string_view(&byte, 1)) || !stays(socket, kDribbleEvery)) return false;
    runtime_.sleep_for(Millis(0));
  }
  return true;
}

}  // namespace cluster
