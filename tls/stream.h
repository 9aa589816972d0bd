// One connection, over TLS or plain, on a socket that never blocks. Each wait is one poll() with a deadline.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/result.h"
#include "tls/address.h"
#include "tls/context.h"
#include "tls/descriptor.h"

struct ssl_st;

namespace snapfreeze::tls {

// Until when to wait, and a file descriptor that ends the wait when it can be read (-1: none).
struct WaitLimit {
  Mono deadline{};
  int stop_fd = -1;
};

// Used by one thread at a time. Errors: kTransient, or kCancelled when stop_fd says so.
class Stream {
 public:
  enum class Wait { kReady, kTimedOut, kStopped };
  struct Read {
    enum class Outcome { kBytes, kClosed, kTimedOut };
    Outcome outcome = Outcome::kBytes;
    std::size_t count = 0;
  };

  // A client's, after its handshake. Verifies that the peer is `verify_name`, a host name or an IP address, unless the
  // context verifies nobody.
  static Result<std::unique_ptr<Stream>> connect(const Context& context, const Address& address,
                                                 const std::string& verify_name, const WaitLimit& limit);
  // A server's, on an accepted socket that does not block. Without a context: plain.
  Stream(FileDescriptor socket, const Context* context);
  ~Stream();  // tells the peer nothing: that could block, and a reply that was cut short is worthless anyway
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // One step of the handshake, which may cost a millisecond of CPU: true when it is done, false when the peer has to go
  // on first; then await(), and again.
  Result<bool> shake_hands();
  // Until the last call, which could not go on, can be repeated.
  [[nodiscard]] Wait await(const WaitLimit& limit) const { return wait(wanted_, limit); }
  // Until something has come in, even if it is only part of a TLS record. Returns at once if a record was read in part.
  [[nodiscard]] Wait await_input(const WaitLimit& limit) const;

  Result<void> write(std::string_view bytes, const WaitLimit& limit);

  // Returns what has come, even past the deadline, which bounds only the wait. kClosed only when the peer said so
  // inside TLS, or the plain socket was closed; a connection that breaks is an Error.
  Result<Read> read(std::span<char> buffer, const WaitLimit& limit);

  // Whether an idle connection was closed, or has received something that nobody asked for. One system call.
  [[nodiscard]] bool stale();

  // Tells the peer that no more will be written. Afterwards only discard() may be called.
  void finish_writing();
  // Discards what comes in. False: no more can come, or nothing came until the deadline.
  bool discard(std::span<char> buffer, const WaitLimit& limit);

  [[nodiscard]] int socket() const { return socket_.get(); }
  // What the peer has shown, in PEM: the leaf, then the rest of its chain. kTransient: none.
  [[nodiscard]] Result<std::string> peer_certificates() const;

 private:
  struct Free {
    void operator()(ssl_st* session) const;
  };

  Result<void> connect(const Address& address, const WaitLimit& limit);
  Result<void> handshake(const WaitLimit& limit);
  Wait wait(short events, const WaitLimit& limit) const;
  // After a call that could not go on; `returned` is what it returned. Error when it never will.
  Result<void> note(int returned, const char* doing);
  Result<Wait> wait_for(int returned, const char* doing, const WaitLimit& limit);

  FileDescriptor socket_;
  const bool encrypted_;
  std::unique_ptr<ssl_st, Free> session_;
  short wanted_ = 0;  // of poll()
};

}  // namespace snapfreeze::tls
