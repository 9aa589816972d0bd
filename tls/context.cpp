#include "tls/context.h"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <utility>

#include "tls/openssl.h"
#include "tls/pem.h"

namespace snapfreeze::tls {

// Made once and never moved, because OpenSSL keeps its address.
struct Context::Server {
  IdentitySource source;
  std::vector<std::string> names;  // of clients

  static int give_certificate(SSL* session, void* server);
  static int check_client(int verified, X509_STORE_CTX* store);
};

namespace {

constexpr const char* kTls12Suites =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr std::array<unsigned char, 9> kHttp11{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

std::shared_ptr<SSL_CTX> new_context(const SSL_METHOD* method) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(method), SSL_CTX_free);
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1) return nullptr;
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return context;
}

Error about(const char* field) {
  const std::string reason = take_reason();
  return {Code::kMalformed, std::string(field) + ": " + (reason.empty() ? "unknown error" : reason)};
}

Result<void> trust(SSL_CTX* context, const std::string& ca_pem) {
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  // As Go does, trust what is given as such, be it an intermediate.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  if (ca_pem.empty()) {
    SSL_CTX_set_default_verify_paths(context);
    return {};
  }
  const auto certificates = read_certificates_until_damaged(ca_pem);
  if (!certificates) return Error{Code::kMalformed, "certificate authority: " + certificates.error().message};
  for (const X509Ptr& ca : *certificates) X509_STORE_add_cert(store, ca.get());
  return {};
}

Result<void> identify(SSL_CTX* context, const ClientOptions& options) {
  if (options.certificate_pem.empty()) return {};
  const auto certificates = read_certificates_until_damaged(options.certificate_pem);
  if (!certificates) return Error{Code::kMalformed, "client certificate: " + certificates.error().message};
  SSL_CTX_use_certificate(context, certificates->front().get());
  for (auto next = certificates->begin() + 1; next != certificates->end(); ++next) {
    SSL_CTX_add1_chain_cert(context, next->get());
  }
  ERR_clear_error();
  const auto key = read_key(options.key_pem);
  if (!key) return Error{Code::kMalformed, "client key: " + key.error().message};
  if (SSL_CTX_use_PrivateKey(context, key->get()) != 1) return about("client key");
  return {};
}

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
  unsigned char* out = nullptr;
  const int outcome = SSL_select_next_proto(&out, chosen_size, kHttp11.data(), kHttp11.size(), offered, offered_size);
  *chosen = out;
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

bool is_called(X509* certificate, const std::string& name) {
  std::array<char, 256> common_name{};
  const int size = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, common_name.data(),
                                             static_cast<int>(common_name.size()));
  if (size > 0 && name == std::string_view(common_name.data(), static_cast<std::size_t>(size))) return true;
  // A server's certificate may stand for a pattern of names; whoever connects is one of them.
  constexpr unsigned kFlags = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_WILDCARDS;
  return X509_check_host(certificate, name.data(), name.size(), kFlags, nullptr) == 1;
}

}  // namespace

Result<Context> Context::client(const ClientOptions& options) {
  const auto context = new_context(TLS_client_method());
  if (!context) return about("TLS");
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_read_ahead(context.get(), 1);  // head and body of a reply in one system call
  SSL_CTX_set_alpn_protos(context.get(), kHttp11.data(), kHttp11.size());
  if (auto trusted = trust(context.get(), options.ca_pem); !trusted) return trusted.error();
  if (auto identified = identify(context.get(), options); !identified) return identified.error();
  return Context(context);
}

Result<Context> Context::curious() {
  const auto context = new_context(TLS_client_method());
  if (!context) return about("TLS");
  return Context(context);
}

int Context::Server::give_certificate(SSL* session, void* server) {
  const Identity identity = static_cast<const Server*>(server)->source();
  if (identity.certificate == nullptr) return 0;
  // Takes references of its own: the pair may be replaced while this handshake goes on.
  return SSL_use_cert_and_key(session, identity.certificate, identity.key, identity.chain, 1);
}

// Called for each certificate of the chain, after OpenSSL has checked it. The client's own must have the right name,
// too.
int Context::Server::check_client(int verified, X509_STORE_CTX* store) {
  if (verified != 1 || X509_STORE_CTX_get_error_depth(store) != 0) return verified;
  const auto* session = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const auto& names = static_cast<const Server*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(session)))->names;
  X509* certificate = X509_STORE_CTX_get_current_cert(store);
  const auto matches = [&](const std::string& name) { return is_called(certificate, name); };
  if (names.empty() || std::any_of(names.begin(), names.end(), matches)) return 1;
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

Result<Context> Context::server(IdentitySource source, const ClientCheck& clients) {
  const auto made = new_context(TLS_server_method());
  if (!made || SSL_CTX_set_cipher_list(made.get(), kTls12Suites) != 1 ||
      SSL_CTX_set1_groups_list(made.get(), kGroups) != 1 || SSL_CTX_set_num_tickets(made.get(), 0) != 1) {
    ERR_clear_error();
    return Error{Code::kMalformed, "this OpenSSL offers none of the TLS 1.2 suites or groups that are needed"};
  }
  SSL_CTX_set_options(
      made.get(), SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(made.get(), SSL_SESS_CACHE_OFF);
  // Idle connections are many, and each would otherwise keep two buffers of 17 KiB.
  SSL_CTX_set_mode(made.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(made.get(), choose_protocol, nullptr);

  Context context(made);
  const auto server = std::make_shared<Server>(Server{std::move(source), clients.names});
  SSL_CTX_set_cert_cb(made.get(), Server::give_certificate, server.get());
  SSL_CTX_set_app_data(made.get(), server.get());
  context.server_ = server;
  if (clients.ca_bundle.empty()) return context;

  const auto certificates = read_certificates(clients.ca_bundle);
  if (!certificates) return Error{Code::kMalformed, "the CA file for clients: " + certificates.error().message};
  for (const X509Ptr& ca : *certificates) X509_STORE_add_cert(SSL_CTX_get_cert_store(made.get()), ca.get());
  ERR_clear_error();
  SSL_CTX_set_verify(made.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, Server::check_client);
  return context;
}

}  // namespace snapfreeze::tls
