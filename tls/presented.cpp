#include "edge/handshake.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>

#include <memory>

namespace snapfreeze::edge {
namespace {

struct Deleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};

Error failed(const std::string& address, const std::string& what) {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return {Code::kTransient, address + ": " + what + (reason == nullptr ? "" : std::string(" (") + reason + ")")};
}

// Until the connection can go on; false at the deadline.
bool wait(BIO* bio, Mono deadline) {
  int fd = -1;
  BIO_get_fd(bio, &fd);
  const auto left = std::chrono::ceil<Millis>(deadline - std::chrono::steady_clock::now());
  if (fd < 0 || left.count() <= 0) return false;
  const bool reads = BIO_should_read(bio) != 0;
  pollfd waiting{fd, static_cast<short>(reads ? POLLIN : POLLOUT), 0};
  return poll(&waiting, 1, static_cast<int>(left.count())) > 0;
}

}  // namespace

Result<std::string> presented_certificate(const std::string& address, Millis timeout) {
  const Mono deadline = std::chrono::steady_clock::now() + timeout;
  const std::unique_ptr<SSL_CTX, Deleter> context(SSL_CTX_new(TLS_client_method()));
  const std::unique_ptr<BIO, Deleter> bio(context ? BIO_new_ssl_connect(context.get()) : nullptr);
  SSL* ssl = nullptr;
  if (bio) BIO_get_ssl(bio.get(), &ssl);
  if (ssl == nullptr || BIO_set_conn_hostname(bio.get(), address.c_str()) != 1)
    return failed(address, "not an address");
  BIO_set_nbio(bio.get(), 1);
  while (BIO_do_handshake(bio.get()) != 1) {
    if (!BIO_should_retry(bio.get())) return failed(address, "no TLS handshake");
    if (!wait(bio.get(), deadline)) return failed(address, "no TLS handshake in time");
  }
  const std::unique_ptr<BIO, Deleter> text(BIO_new(BIO_s_mem()));
  X509* certificate = SSL_get0_peer_certificate(ssl);
  if (certificate == nullptr || PEM_write_bio_X509(text.get(), certificate) != 1) {
    return failed(address, "the handshake came without a certificate");
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(text.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

}  // namespace snapfreeze::edge
