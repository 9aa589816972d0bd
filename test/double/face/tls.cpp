#include "test/double/face/tls.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>

namespace cluster {
namespace {

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeX509 {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;
using Certificate = std::unique_ptr<X509, FreeX509>;

Bio bio_of(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string last_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason == nullptr ? "connection failed" : reason;
}

SslContext new_context(const SSL_METHOD* method) {
  // OpenSSL writes without MSG_NOSIGNAL: a peer that hangs up would end the process.
  std::signal(SIGPIPE, SIG_IGN);
  SslContext context(SSL_CTX_new(method), SSL_CTX_free);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // A peer that closes without close_notify is an end of the stream like any other.
  SSL_CTX_set_options(context.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
  return context;
}

void prepare(int socket) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK);
}

int poll_millis(Mono deadline) {
  const auto left = std::chrono::ceil<Millis>(deadline - std::chrono::steady_clock::now()).count();
  return left <= 0 ? 0 : left > 60'000 ? 60'000 : static_cast<int>(left);
}

bool wait_for(int socket, short events, Mono deadline) {
  while (true) {
    pollfd entry{socket, events, 0};
    const int ready = poll(&entry, 1, poll_millis(deadline));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
    if (std::chrono::steady_clock::now() >= deadline) return false;
  }
}

int connect_socket(const std::string& host, int port, Mono deadline, std::string& error) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const std::string numeric = host == "localhost" ? "127.0.0.1" : host;
  if (inet_pton(AF_INET, numeric.c_str(), &address.sin_addr) != 1) {
    error = "no such host: " + host;
    return -1;
  }
  const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  prepare(made);
  if (connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    int failure = errno;
    if (failure == EINPROGRESS && wait_for(made, POLLOUT, deadline)) {
      socklen_t size = sizeof failure;
      getsockopt(made, SOL_SOCKET, SO_ERROR, &failure, &size);
    }
    if (failure != 0) {
      error = failure == EINPROGRESS ? "context deadline exceeded" : std::strerror(failure);
      close(made);
      return -1;
    }
  }
  return made;
}

}  // namespace

SslContext server_context(const std::string& certificate_chain, const std::string& private_key) {
  SslContext context = new_context(TLS_server_method());
  SSL_CTX_set_num_tickets(context.get(), 0);
  const Bio chain = bio_of(certificate_chain);
  const Certificate leaf(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
  const Bio key_text = bio_of(private_key);
  const std::unique_ptr<EVP_PKEY, FreeKey> key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
  if (leaf == nullptr) throw std::runtime_error("the certificate is not PEM");
  if (key == nullptr) throw std::runtime_error("the private key is not PEM");
  SSL_CTX_use_certificate(context.get(), leaf.get());
  while (X509* issuer = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)) {
    SSL_CTX_add_extra_chain_cert(context.get(), issuer);
  }
  ERR_clear_error();
  if (SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1) {
    throw std::runtime_error("the private key is not the certificate's: " + last_error());
  }
  return context;
}

SslContext client_context(const std::string& ca_bundle) {
  SslContext context = new_context(TLS_client_method());
  const Bio bundle = bio_of(ca_bundle);
  int read = 0;
  while (X509* raw = PEM_read_bio_X509(bundle.get(), nullptr, nullptr, nullptr)) {
    const Certificate authority(raw);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), authority.get());
    ++read;
  }
  ERR_clear_error();
  if (read == 0) throw std::runtime_error("the CA bundle holds no certificate");
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  return context;
}

bool TlsStream::wait(int result, Mono deadline) const {
  const int error = SSL_get_error(ssl_, result);
  if (error == SSL_ERROR_WANT_READ) return wait_for(socket_, POLLIN, deadline);
  if (error == SSL_ERROR_WANT_WRITE) return wait_for(socket_, POLLOUT, deadline);
  return false;
}

TlsStream::TlsStream(const SslContext& context, int socket) : ssl_(SSL_new(context.get())), socket_(socket) {
  prepare(socket_);
  SSL_set_fd(ssl_, socket_);
}

bool TlsStream::accept() {
  const Mono deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  int result = 0;
  while ((result = SSL_accept(ssl_)) != 1) {
    if (wait(result, deadline)) continue;
    ERR_clear_error();
    return false;
  }
  return true;
}

std::unique_ptr<TlsStream> TlsStream::connect(const SslContext& context, const std::string& host, int port,
                                              const std::string& server_name, Mono deadline, std::string& error) {
  const int socket = connect_socket(host, port, deadline, error);
  if (socket < 0) return nullptr;
  auto stream = std::make_unique<TlsStream>(context, socket);
  SSL* ssl = stream->ssl_;
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), server_name.c_str()) != 1) {
    ERR_clear_error();
    SSL_set_tlsext_host_name(ssl, server_name.c_str());
    SSL_set1_host(ssl, server_name.c_str());
  }
  int result = 0;
  while ((result = SSL_connect(ssl)) != 1) {
    if (stream->wait(result, deadline)) continue;
    const long verified = SSL_get_verify_result(ssl);
    const bool late = std::chrono::steady_clock::now() >= deadline;
    error = verified != X509_V_OK ? std::string("tls: ") + X509_verify_cert_error_string(verified)
            : late                ? "context deadline exceeded"
                                  : "tls: " + last_error();
    ERR_clear_error();
    return nullptr;
  }
  return stream;
}

TlsStream::~TlsStream() {
  SSL_free(ssl_);
  close(socket_);
}

std::size_t TlsStream::read(char* into, std::size_t size, Mono deadline) {
  std::size_t count = 0;
  int result = 0;
  while ((result = SSL_read_ex(ssl_, into, size, &count)) != 1) {
    if (wait(result, deadline)) continue;
    ERR_clear_error();
    return 0;
  }
  return count;
}

bool TlsStream::write(std::string_view bytes, Mono deadline) {
  while (!bytes.empty()) {
    std::size_t count = 0;
    const int result = SSL_write_ex(ssl_, bytes.data(), bytes.size(), &count);
    if (result == 1) {
      bytes.remove_prefix(count);
    } else if (!wait(result, deadline)) {
      ERR_clear_error();
      return false;
    }
  }
  return true;
}

// Anything that can be read from a peer that has nothing to say is its farewell.
bool TlsStream::peer_listens() const {
  pollfd entry{socket_, POLLIN | POLLRDHUP, 0};
  return poll(&entry, 1, 0) == 0;
}

void TlsStream::close_cleanly() {
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

}  // namespace cluster
