#include "tls/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "tls/address.h"

namespace snapfreeze::tls {

namespace {

// Connections that the kernel completes while we are busy. The kernel cuts it to net.core.somaxconn.
constexpr int kBacklog = 4096;
// Descriptors for all else: the API client, files, logs.
constexpr rlim_t kOtherDescriptors = 128;
// A socket, and what wakes its thread while a large request is read.
constexpr rlim_t kPerConnection = 2;

Result<Listener> bind_and_listen(const sockaddr* address, socklen_t size, const std::string& text) {
  FileDescriptor socket(::socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  const int off = 0;
  setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address->sa_family == AF_INET6) setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (socket.get() < 0 || ::bind(socket.get(), address, size) != 0 || ::listen(socket.get(), kBacklog) != 0) {
    return Error{Code::kMalformed, "cannot listen on " + text + ": " + std::strerror(errno)};
  }
  sockaddr_in6 bound{};
  socklen_t bound_size = sizeof bound;
  getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &bound_size);
  return Listener{std::move(socket), ntohs(bound.sin6_port)};  // where sockaddr_in has its port too
}

Result<Listener> listen_on_ipv4(in_addr address, std::uint16_t port, const std::string& text) {
  sockaddr_in ipv4{};
  ipv4.sin_family = AF_INET;
  ipv4.sin_port = htons(port);
  ipv4.sin_addr = address;
  return bind_and_listen(reinterpret_cast<const sockaddr*>(&ipv4), sizeof ipv4, text);
}

}  // namespace

Result<Listener> listen_on(const std::string& address, std::uint16_t port) {
  const std::string text =
      (address.empty() ? "all addresses" : "address " + address) + ", port " + std::to_string(port);
  if (in_addr ipv4{}; inet_pton(AF_INET, address.c_str(), &ipv4) == 1) return listen_on_ipv4(ipv4, port, text);

  sockaddr_in6 ipv6{};
  ipv6.sin6_family = AF_INET6;
  ipv6.sin6_port = htons(port);
  if (!address.empty() && inet_pton(AF_INET6, address.c_str(), &ipv6.sin6_addr) != 1) {
    return Error{Code::kMalformed, "not a numeric IPv4 or IPv6 address to listen on: \"" + address + "\""};
  }
  auto listener = bind_and_listen(reinterpret_cast<const sockaddr*>(&ipv6), sizeof ipv6, text);
  if (!listener && address.empty()) return listen_on_ipv4(in_addr{htonl(INADDR_ANY)}, port, text);
  return listener;
}

Accepted accept_from(const Listener& listener) {
  Address address{};
  address.length = sizeof address.bytes;
  FileDescriptor socket(::accept4(listener.socket.get(), reinterpret_cast<sockaddr*>(address.bytes), &address.length,
                                  SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (socket.get() < 0) return {FileDescriptor(), "", errno};
  // Thousands of short connections are gone before they are accepted. They must not cost a thread.
  pollfd gone{socket.get(), 0, 0};
  if (poll(&gone, 1, 0) > 0) return {FileDescriptor(), "", ECONNABORTED};
  const int on = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return {std::move(socket), address_text(address), 0};
}

// A shell's soft limit of 1,024 descriptors is there for select(), which is not used here.
int connections_allowed(int wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  const rlim_t needed = static_cast<rlim_t>(wanted) * kPerConnection + kOtherDescriptors;
  if (limit.rlim_cur < needed) {
    limit.rlim_cur = std::min(needed, limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur >= needed) return wanted;
  return static_cast<int>((limit.rlim_cur - std::min(limit.rlim_cur / 2, kOtherDescriptors)) / kPerConnection);
}

}  // namespace snapfreeze::tls
