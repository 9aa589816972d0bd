#include "test/double/face/loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace cluster {

Loopback::Loopback(ThreadRuntime& runtime, const std::string& name, int port, std::function<void(int socket)> serve)
    : runtime_(runtime), name_(name), serve_(std::move(serve)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 1024) != 0) {
    const int failure = errno;
    ::close(listener_);
    throw std::system_error(failure, std::generic_category(), name + ", port " + std::to_string(port));
  }
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  const std::lock_guard<std::mutex> guard(mutex_);
  fibers_.push_back(runtime_.spawn(name_, [this] { accept_connections(); }));
}

void Loopback::forget(int socket) {
  const std::lock_guard<std::mutex> guard(mutex_);
  sockets_.erase(socket);
}

void Loopback::stop() {
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

void Loopback::accept_connections() {
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
    fibers_.push_back(runtime_.spawn(name_, [this, connected] { serve_(connected); }));
  }
}

}  // namespace cluster
