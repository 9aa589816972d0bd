// What one side of a TLS connection trusts, presents and speaks: TLS 1.2 or 1.3, with HTTP/1.1 as the only application
// protocol.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

// OpenSSL's types, so that only those who call OpenSSL include it.
struct ssl_ctx_st;
struct x509_st;
struct evp_pkey_st;
struct stack_st_X509;

namespace snapfreeze::tls {

struct ClientOptions {
  std::string ca_pem;           // whom it trusts; "": the system's roots
  std::string certificate_pem;  // chain, the leaf first; "" when none, as the key
  std::string key_pem;
};

// What a server presents in one handshake; `owner` keeps the rest alive. If all are null, the handshake fails.
struct Identity {
  x509_st* certificate = nullptr;
  evp_pkey_st* key = nullptr;
  stack_st_X509* chain = nullptr;
  std::shared_ptr<const void> owner;
};
// Called by any thread.
using IdentitySource = std::function<Identity()>;

// Who may connect. Only API servers that were told to (AdmissionConfiguration, kubeConfigFile) present a certificate.
struct ClientCheck {
  std::string ca_bundle;           // PEM of the CAs that sign clients' certificates; empty: anybody may connect
  std::vector<std::string> names;  // common name or DNS name, one of them; empty: any that the CAs signed
};

// Immutable once made, as OpenSSL requires. Thread-safe. Errors are kMalformed and name what cannot be used.
class Context {
 public:
  // Verifies the server against the CA.
  static Result<Context> client(const ClientOptions& options);
  // Verifies nobody; for looking at what a server presents.
  static Result<Context> curious();
  // Forward-secret AEAD suites, no tickets, no resumption, no renegotiation, no compression. Each handshake uses what
  // `source` returns at that moment.
  static Result<Context> server(IdentitySource source, const ClientCheck& clients = {});

  [[nodiscard]] ssl_ctx_st* get() const { return context_.get(); }

 private:
  struct Server;  // what the context's callbacks point to
  explicit Context(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}

  std::shared_ptr<ssl_ctx_st> context_;
  std::shared_ptr<const Server> server_;
};

}  // namespace snapfreeze::tls
