// The TLS side of a server: TLS 1.2 and 1.3, forward-secret AEAD suites, no tickets, no resumption, no renegotiation,
// no compression, HTTP/1.1 as the only application protocol.
#pragma once

#include <memory>

#include "base/result.h"
#include "certs/key_pair.h"

struct ssl_ctx_st;
struct ssl_st;

namespace snapfreeze::edge {

class TlsContext {
 public:
  // Each handshake takes the pair that `source` has at that moment; the context itself never changes once it is in use,
  // because OpenSSL does not allow that. Without a pair the handshake fails. `source` outlives this.
  static Result<TlsContext> make(const certs::CertSource& source);

  // A server's session on this socket, which the caller goes on to own; null when memory is short.
  [[nodiscard]] ssl_st* new_session(int socket) const;

 private:
  explicit TlsContext(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}

  std::shared_ptr<ssl_ctx_st> context_;
};

}  // namespace snapfreeze::edge
