#include "edge/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <iterator>

namespace snapfreeze::edge {

namespace {

constexpr const char* kTls12Suites =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kGroups = "X25519:P-256:P-384";

int give_certificate(SSL* session, void* source) {
  const auto pair = static_cast<const certs::CertSource*>(source)->current();
  if (!pair) return 0;
  // Takes references of its own: the pair may be replaced while this handshake goes on.
  return SSL_use_cert_and_key(session, pair->certificate(), pair->key(), pair->chain(), 1);
}

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  unsigned char* out = nullptr;
  const int outcome = SSL_select_next_proto(&out, chosen_size, kHttp11, std::size(kHttp11) - 1, offered, offered_size);
  *chosen = out;
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

Result<TlsContext> TlsContext::make(const certs::CertSource& source) {
  const std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(context.get(), kTls12Suites) != 1 ||
      SSL_CTX_set1_groups_list(context.get(), kGroups) != 1 || SSL_CTX_set_num_tickets(context.get(), 0) != 1) {
    ERR_clear_error();
    return Error{Code::kMalformed, "this OpenSSL offers none of the TLS 1.2 suites or groups that are needed"};
  }
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  // Idle connections are many, and each would otherwise keep two buffers of 17 KiB.
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_cert_cb(context.get(), give_certificate, const_cast<certs::CertSource*>(&source));
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  return TlsContext(context);
}

ssl_st* TlsContext::new_session(int socket) const {
  SSL* session = SSL_new(context_.get());
  if (session != nullptr && SSL_set_fd(session, socket) != 1) {
    SSL_free(session);
    session = nullptr;
  }
  if (session != nullptr) SSL_set_accept_state(session);
  ERR_clear_error();
  return session;
}

}  // namespace snapfreeze::edge
