// One TLS connection whose every wait is one poll() with a deadline.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/result.h"
#include "kube/config.h"

struct ssl_ctx_st;
struct ssl_st;
struct sockaddr;

namespace snapfreeze::kube {

struct SslDeleter {
  void operator()(ssl_ctx_st* context) const;
  void operator()(ssl_st* ssl) const;
};
using SslContext = std::unique_ptr<ssl_ctx_st, SslDeleter>;

// Verifying context of a client, with TLS 1.2 or newer. kMalformed names what OpenSSL cannot read.
Result<SslContext> make_client_context(const Config& config);

// Until when to wait, and a file descriptor that ends the wait when it can be read (-1: none).
struct WaitLimit {
  Mono deadline{};
  int stop_fd = -1;
};

struct Address {
  alignas(8) unsigned char bytes[28];  // sockaddr_in or sockaddr_in6
  unsigned length = 0;
};

// Used by one thread at a time. Errors: kTransient, or kCancelled when stop_fd says so.
class TlsConnection {
 public:
  struct Read {
    enum class Outcome { kBytes, kClosed, kTimedOut };
    Outcome outcome = Outcome::kBytes;
    std::size_t count = 0;
  };

  // Verifies that the peer is `verify_name`, a host name or an IP address.
  static Result<std::unique_ptr<TlsConnection>> open(ssl_ctx_st* context, const Address& address,
                                                     const std::string& verify_name, const WaitLimit& limit);
  ~TlsConnection();
  TlsConnection(const TlsConnection&) = delete;
  TlsConnection& operator=(const TlsConnection&) = delete;

  Result<void> write(std::string_view bytes, const WaitLimit& limit);

  // Returns what has come, even past the deadline, which bounds only the wait. kClosed only when the peer said so
  // inside TLS; a connection that breaks is an Error.
  Result<Read> read(std::span<char> buffer, const WaitLimit& limit);

  // Whether an idle connection has been closed, or has something to say that nobody asked for. One system call.
  [[nodiscard]] bool stale();

 private:
  TlsConnection(int fd, std::unique_ptr<ssl_st, SslDeleter> ssl) : fd_(fd), ssl_(std::move(ssl)) {}
  enum class Wait { kReady, kTimedOut, kStopped };
  Result<void> connect(const Address& address, const WaitLimit& limit);
  Result<void> handshake(const WaitLimit& limit);
  Wait wait(short events, const WaitLimit& limit) const;
  // After a call that could not go on; `result` is what it returned. Error when it never will.
  Result<Wait> wait_for(int result, const char* doing, const WaitLimit& limit);

  int fd_;
  std::unique_ptr<ssl_st, SslDeleter> ssl_;
};

}  // namespace snapfreeze::kube
