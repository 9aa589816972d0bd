#include "edge/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "certs/bundle.h"

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

bool is_called(X509* certificate, const std::string& name) {
  std::array<char, 256> common_name{};
  const int size = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, common_name.data(),
                                             static_cast<int>(common_name.size()));
  if (size > 0 && name == std::string_view(common_name.data(), static_cast<std::size_t>(size))) return true;
  return X509_check_host(certificate, name.data(), name.size(), X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, nullptr) == 1;
}

// OpenSSL has verified this certificate of the chain, or not; of the client's own we ask for the name too.
int check_client(int verified, X509_STORE_CTX* store) {
  if (verified != 1 || X509_STORE_CTX_get_error_depth(store) != 0) return verified;
  const auto* session = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const auto* names = static_cast<const std::vector<std::string>*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(session)));
  X509* certificate = X509_STORE_CTX_get_current_cert(store);
  const auto matches = [&](const std::string& name) { return is_called(certificate, name); };
  if (names->empty() || std::any_of(names->begin(), names->end(), matches)) return 1;
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

Result<void> trust_clients(SSL_CTX* context, const std::string& ca_bundle) {
  const auto certificates = certs::split_bundle(ca_bundle);
  if (!certificates) return Error{Code::kMalformed, "the CA file for clients: " + certificates.error().message};
  for (const std::string& pem : *certificates) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                        BIO_free);
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get());
  }
  ERR_clear_error();
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, check_client);
  return {};
}

}  // namespace

Result<TlsContext> TlsContext::make(const certs::CertSource& source, const ClientCheck& clients) {
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
  auto names = std::make_shared<const std::vector<std::string>>(clients.names);
  SSL_CTX_set_app_data(context.get(), const_cast<std::vector<std::string>*>(names.get()));
  if (!clients.ca_bundle.empty()) {
    const auto trusted = trust_clients(context.get(), clients.ca_bundle);
    if (!trusted) return trusted.error();
  }
  return TlsContext(context, std::move(names));
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
