// A non-blocking socket, with TLS on it or without. Not thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "tls/context.h"
#include "tls/descriptor.h"

struct ssl_st;

namespace snapfreeze::edge {

using tls::FileDescriptor;

class Stream {
 public:
  enum class Outcome {
    kDone,
    kWantRead,   // try again when the socket is readable
    kWantWrite,  // … writable
    kClosed,     // by the peer, or broken: nothing more can come
  };
  struct Transfer {
    Outcome outcome = Outcome::kClosed;
    std::size_t size = 0;  // bytes moved, when kDone; at least one
  };

  // Without `tls`: plain.
  Stream(FileDescriptor socket, const tls::Context* tls);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  Outcome handshake();  // kDone at once when plain
  Transfer read(std::span<char> buffer);
  Transfer write(std::string_view bytes);

  // Says that no more will be written. After it, only discard().
  void finish_writing();
  // Throws away what came in: kWantRead when that was all, kClosed when no more can come.
  Outcome discard();

  [[nodiscard]] int socket() const { return socket_.get(); }

 private:
  struct SslFree {
    void operator()(ssl_st* session) const;
  };
  Outcome outcome_of(int returned);

  FileDescriptor socket_;
  const bool encrypted_;
  std::unique_ptr<ssl_st, SslFree> session_;
};

}  // namespace snapfreeze::edge
