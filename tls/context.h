// The TLS side of a server: TLS 1.2 and 1.3, forward-secret AEAD suites, no tickets, no resumption, no renegotiation,
// no compression, HTTP/1.1 as the only application protocol.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "certs/key_pair.h"

struct ssl_ctx_st;
struct ssl_st;

namespace snapfreeze::edge {

// Who may connect. Only API servers that were told to (AdmissionConfiguration, kubeConfigFile) present a certificate.
struct ClientCheck {
  std::string ca_bundle;           // PEM of the CAs that sign clients' certificates; empty: anybody may connect
  std::vector<std::string> names;  // common name or DNS name, one of them; empty: any that the CAs signed
};

class TlsContext {
 public:
  // Each handshake takes the pair that `source` has at that moment; the context itself never changes once it is in use,
  // because OpenSSL does not allow that. Without a pair the handshake fails. `source` outlives this. kMalformed names
  // what cannot be used.
  static Result<TlsContext> make(const certs::CertSource& source, const ClientCheck& clients = {});

  // A server's session on this socket, which the caller goes on to own; null when memory is short.
  [[nodiscard]] ssl_st* new_session(int socket) const;

 private:
  using Names = std::shared_ptr<const std::vector<std::string>>;
  TlsContext(std::shared_ptr<ssl_ctx_st> context, Names names)
      : context_(std::move(context)), names_(std::move(names)) {}

  std::shared_ptr<ssl_ctx_st> context_;
  Names names_;  // of clients; the context points to it
};

}  // namespace snapfreeze::edge
