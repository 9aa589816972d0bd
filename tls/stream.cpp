#include "kube/tls_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

namespace snapfreeze::kube {
namespace {

Error transient(std::string message) {
  return {Code::kTransient, std::move(message)};
}

std::string system_error(const char* doing, int error) {
  return std::string(doing) + ": " + std::strerror(error);
}

// The innermost reason is the last one that OpenSSL noted.
std::string openssl_error() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "unknown error" : reason;
}

Error malformed(const char* field) {
  return {Code::kMalformed, std::string(field) + ": " + openssl_error()};
}

struct OpenSslDeleter {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <class T>
using Owned = std::unique_ptr<T, OpenSslDeleter>;

// OpenSSL would ask for the password on the terminal.
int no_password(char*, int, int, void*) {
  return 0;
}

Owned<BIO> reader_of(const std::string& pem) {
  return Owned<BIO>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

// Calls `take` with each certificate; the number of them.
template <class Take>
int each_certificate(const std::string& pem, const Take& take) {
  const Owned<BIO> bio = reader_of(pem);
  int count = 0;
  while (const Owned<X509> certificate{PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr)}) {
    take(certificate.get());
    ++count;
  }
  return count;
}

Result<void> trust(SSL_CTX* context, const std::string& ca_pem) {
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  // As Go does, trust what is given as such, be it an intermediate.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  if (ca_pem.empty()) {
    SSL_CTX_set_default_verify_paths(context);
    return {};
  }
  if (each_certificate(ca_pem, [&](X509* ca) { X509_STORE_add_cert(store, ca); }) == 0) {
    return malformed("certificate authority");
  }
  ERR_clear_error();  // the end of the file is noted as an error
  return {};
}

Result<void> identify(SSL_CTX* context, const Config& config) {
  if (config.client_certificate_pem.empty()) return {};
  bool leaf = true;
  const int count = each_certificate(config.client_certificate_pem, [&](X509* certificate) {
    leaf ? SSL_CTX_use_certificate(context, certificate)
         : static_cast<int>(SSL_CTX_add1_chain_cert(context, certificate));
    leaf = false;
  });
  if (count == 0) return malformed("client certificate");
  ERR_clear_error();
  const Owned<BIO> bio = reader_of(config.client_key_pem);
  const Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (!key) return malformed("client key");
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) return malformed("client key");
  return {};
}

bool is_ip(const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return inet_pton(AF_INET, name.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, name.c_str(), address.data()) == 1;
}

// Only subject alternative names count, as in Go: without this an IP address may pass by the common name.
bool expect_peer(SSL* ssl, const std::string& name) {
  X509_VERIFY_PARAM* verify = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(verify, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (is_ip(name)) return X509_VERIFY_PARAM_set1_ip_asc(verify, name.c_str()) == 1;
  return SSL_set1_host(ssl, name.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, name.c_str()) == 1;
}

void set_option(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof value);
}

void tune(int fd) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  // A watch may be silent for a minute; a peer that vanished without a word is found out in 25 s.
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 10);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

}  // namespace

void SslDeleter::operator()(SSL_CTX* context) const {
  SSL_CTX_free(context);
}
void SslDeleter::operator()(SSL* ssl) const {
  SSL_free(ssl);
}

Result<SslContext> make_client_context(const Config& config) {
  SslContext context(SSL_CTX_new(TLS_client_method()));
  if (!context) return malformed("TLS");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context.get(), 1);  // head and body of a reply in one system call
  static constexpr std::array<unsigned char, 9> kProtocols{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  SSL_CTX_set_alpn_protos(context.get(), kProtocols.data(), kProtocols.size());
  if (auto trusted = trust(context.get(), config.ca_pem); !trusted.ok()) return trusted.error();
  if (auto identified = identify(context.get(), config); !identified.ok()) return identified.error();
  return context;
}

Result<std::unique_ptr<TlsConnection>> TlsConnection::open(SSL_CTX* context, const Address& address,
                                                           const std::string& verify_name, const WaitLimit& limit) {
  const auto* socket_address = reinterpret_cast<const sockaddr*>(address.bytes);
  const int fd = socket(socket_address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return transient(system_error("socket", errno));
  tune(fd);
  std::unique_ptr<TlsConnection> connection(new TlsConnection(fd, std::unique_ptr<SSL, SslDeleter>(SSL_new(context))));
  if (auto connected = connection->connect(address, limit); !connected.ok()) return connected.error();
  SSL* ssl = connection->ssl_.get();
  if (ssl == nullptr || !expect_peer(ssl, verify_name) || SSL_set_fd(ssl, fd) != 1) {
    return transient("TLS: " + openssl_error());
  }
  if (auto shaken = connection->handshake(limit); !shaken.ok()) return shaken.error();
  return connection;
}

TlsConnection::~TlsConnection() {
  // Nothing is said to the peer: a close_notify could block, and a cut reply is worthless in any case.
  close(fd_);
}

Result<void> TlsConnection::connect(const Address& address, const WaitLimit& limit) {
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(address.bytes), address.length) == 0) return {};
  if (errno != EINPROGRESS) return transient(system_error("connect", errno));
  switch (wait(POLLOUT, limit)) {
    case Wait::kTimedOut:
      return transient("connect: timed out");
    case Wait::kStopped:
      return Error{Code::kCancelled, "stopped while connecting"};
    case Wait::kReady:
      break;
  }
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return transient(system_error("connect", error));
  return {};
}

Result<void> TlsConnection::handshake(const WaitLimit& limit) {
  for (;;) {
    ERR_clear_error();
    const int result = SSL_connect(ssl_.get());
    if (result == 1) return {};
    const long verified = SSL_get_verify_result(ssl_.get());
    if (verified != X509_V_OK) {
      return transient(std::string("TLS handshake: the server's certificate is refused: ") +
                       X509_verify_cert_error_string(verified));
    }
    const auto waited = wait_for(result, "TLS handshake", limit);
    if (!waited.ok()) return waited.error();
    if (waited.value() == Wait::kTimedOut) return transient("TLS handshake: timed out");
  }
}

Result<void> TlsConnection::write(std::string_view bytes, const WaitLimit& limit) {
  while (!bytes.empty()) {
    ERR_clear_error();
    std::size_t written = 0;
    const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written);
    if (result == 1) {
      bytes.remove_prefix(written);
      continue;
    }
    const auto waited = wait_for(result, "write", limit);
    if (!waited.ok()) return waited.error();
    if (waited.value() == Wait::kTimedOut) return transient("write: timed out");
  }
  return {};
}

Result<TlsConnection::Read> TlsConnection::read(std::span<char> buffer, const WaitLimit& limit) {
  for (;;) {
    ERR_clear_error();
    std::size_t count = 0;
    const int result = SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &count);
    if (result == 1) return Read{Read::Outcome::kBytes, count};
    if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_ZERO_RETURN) return Read{Read::Outcome::kClosed, 0};
    const auto waited = wait_for(result, "read", limit);
    if (!waited.ok()) return waited.error();
    if (waited.value() == Wait::kTimedOut) return Read{Read::Outcome::kTimedOut, 0};
  }
}

bool TlsConnection::stale() {
  ERR_clear_error();
  char byte = 0;
  std::size_t count = 0;
  const int result = SSL_peek_ex(ssl_.get(), &byte, 1, &count);
  const bool silent = result != 1 && SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ;
  ERR_clear_error();
  return !silent;
}

Result<TlsConnection::Wait> TlsConnection::wait_for(int result, const char* doing, const WaitLimit& limit) {
  const int saved = errno;
  const int error = SSL_get_error(ssl_.get(), result);
  if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
    if (error == SSL_ERROR_ZERO_RETURN) return transient(std::string(doing) + ": the server closed the connection");
    if (error == SSL_ERROR_SYSCALL && ERR_peek_error() == 0 && saved != 0) return transient(system_error(doing, saved));
    return transient(std::string(doing) + ": " + openssl_error());
  }
  const Wait waited = wait(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, limit);
  if (waited == Wait::kStopped) return Error{Code::kCancelled, "stopped"};
  return waited;
}

TlsConnection::Wait TlsConnection::wait(short events, const WaitLimit& limit) const {
  std::array<pollfd, 2> fds{pollfd{fd_, events, 0}, pollfd{limit.stop_fd, POLLIN, 0}};
  for (;;) {
    // ceil: a poll that gives up early would spin through the last millisecond.
    const auto left = std::chrono::ceil<Millis>(limit.deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0) return Wait::kTimedOut;
    const int ready =
        poll(fds.data(), limit.stop_fd < 0 ? 1 : 2, static_cast<int>(std::min<Millis::rep>(left, INT_MAX)));
    if (ready < 0) continue;  // interrupted by a signal
    if (fds[1].revents != 0) return Wait::kStopped;
    if (ready > 0) return Wait::kReady;
  }
}

}  // namespace snapfreeze::kube
