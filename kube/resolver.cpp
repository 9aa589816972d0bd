#include "kube/resolver.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/thread.h"

namespace snapfreeze::kube {
namespace {

// How soon a waiting thread sees stop_fd.
constexpr Millis kSlice{50};

bool readable(int fd) {
  pollfd poll_fd{fd, POLLIN, 0};
  return fd >= 0 && poll(&poll_fd, 1, 0) > 0;
}

}  // namespace

Resolver::Resolver(std::string host, int port) : host_(std::move(host)), port_(port) {
  Found numeric = look_up(host_, port_, AI_NUMERICHOST);
  if (numeric.ok()) found_ = std::move(numeric);
}

Result<std::vector<tls::Address>> Resolver::addresses(const tls::WaitLimit& limit) {
  std::unique_lock lock(mutex_);
  if (found_ && found_->ok()) return *found_;
  if (!looking_) {
    if (thread_.joinable()) thread_.join();
    found_.reset();
    looking_ = true;
    thread_ = start_thread("resolver", [this] {
      Found found = look_up(host_, port_, 0);
      const std::lock_guard guard(mutex_);
      found_ = std::move(found);
      looking_ = false;
      done_.notify_all();
    });
  }
  while (looking_) {
    const Mono now = std::chrono::steady_clock::now();
    if (now >= limit.deadline) return Error{Code::kTransient, "looking up " + host_ + ": timed out"};
    if (readable(limit.stop_fd)) return Error{Code::kCancelled, "stopped while looking up " + host_};
    done_.wait_until(lock, std::min<Mono>(now + kSlice, limit.deadline));
  }
  return *found_;
}

void Resolver::forget() {
  const std::lock_guard lock(mutex_);
  // An IP address stays what it is.
  if (thread_.joinable() && !looking_) found_.reset();
}

Resolver::Found Resolver::look_up(const std::string& host, int port, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* first = nullptr;
  const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &first);
  if (error != 0) return Error{Code::kTransient, "looking up " + host + ": " + gai_strerror(error)};
  std::vector<tls::Address> addresses;
  for (const addrinfo* each = first; each != nullptr; each = each->ai_next) {
    if (each->ai_addrlen > sizeof(tls::Address::bytes)) continue;
    tls::Address& address = addresses.emplace_back();
    std::memcpy(address.bytes, each->ai_addr, each->ai_addrlen);
    address.length = each->ai_addrlen;
  }
  freeaddrinfo(first);
  return addresses;
}

}  // namespace snapfreeze::kube
