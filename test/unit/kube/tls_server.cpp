#include "test/unit/kube/tls_server.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <tuple>
#include <utility>

namespace snapfreeze::kube {
namespace {

void require(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(what);
}

std::pair<int, int> listen_on_loopback(int backlog) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  require(bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0, "bind");
  require(listen(fd, backlog) == 0, "listen");
  require(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0, "getsockname");
  return {fd, ntohs(address.sin_port)};
}

BIO* reader_of(const std::string& pem) {
  return BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
}

SSL_CTX* make_context(const TlsServerOptions& options) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  BIO* certificate_reader = reader_of(options.serving.certificate);
  X509* certificate = PEM_read_bio_X509(certificate_reader, nullptr, nullptr, nullptr);
  BIO* key_reader = reader_of(options.serving.key);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(key_reader, nullptr, nullptr, nullptr);
  require(SSL_CTX_use_certificate(context, certificate) == 1, "certificate");
  require(SSL_CTX_use_PrivateKey(context, key) == 1, "key");
  X509_free(certificate);
  EVP_PKEY_free(key);
  BIO_free(certificate_reader);
  BIO_free(key_reader);
  if (options.old_tls) {
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
  }
  if (!options.client_ca.empty()) {
    BIO* reader = reader_of(options.client_ca);
    X509* ca = PEM_read_bio_X509(reader, nullptr, nullptr, nullptr);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca);
    SSL_CTX_set_purpose(context, X509_PURPOSE_ANY);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    X509_free(ca);
    BIO_free(reader);
  }
  return context;
}

}  // namespace

std::string Peer::read_request() {
  std::string text;
  std::size_t wanted = 0;
  std::array<char, 4096> buffer{};
  while (wanted == 0 || text.size() < wanted) {
    const int count = SSL_read(ssl_, buffer.data(), static_cast<int>(buffer.size()));
    if (count <= 0) return "";
    text.append(buffer.data(), static_cast<std::size_t>(count));
    const std::size_t head = text.find("\r\n\r\n");
    if (head == std::string::npos) continue;
    const std::size_t length = text.find("Content-Length: ");
    wanted = head + 4 + (length < head ? std::stoul(text.substr(length + 16)) : 0);
  }
  return text;
}

bool Peer::write(std::string_view bytes) {
  return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size());
}

void Peer::wait_for_close() {
  char byte = 0;
  while (SSL_read(ssl_, &byte, 1) > 0) {
  }
}

void Peer::hang() {
  pollfd closed{fd_, POLLRDHUP, 0};
  poll(&closed, 1, -1);
}

void Peer::die() {
  shutdown(fd_, SHUT_RDWR);
}

bool Peer::has_certificate() const {
  return SSL_get0_peer_certificate(ssl_) != nullptr;
}

TlsServer::TlsServer(const TlsServerOptions& options, Handler handler)
    : no_handshake_(options.no_handshake), handler_(std::move(handler)), context_(make_context(options)) {
  std::tie(listener_, port_) = listen_on_loopback(64);
  acceptor_ = std::thread([this] { accept_all(); });
}

TlsServer::~TlsServer() {
  stopping_ = true;
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : sockets_) shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
  close(listener_);
  SSL_CTX_free(context_);
}

void TlsServer::accept_all() {
  while (!stopping_) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    ++connections_;
    const std::lock_guard lock(mutex_);
    sockets_.push_back(fd);
    threads_.emplace_back([this, fd] { serve(fd); });
  }
}

void TlsServer::serve(int fd) {
  if (no_handshake_) {
    std::array<char, 4096> ignored{};
    while (read(fd, ignored.data(), ignored.size()) > 0) {
    }
  } else {
    SSL* ssl = SSL_new(context_);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1) {
      Peer peer(fd, ssl);
      handler_(peer);
      SSL_shutdown(ssl);
    }
    SSL_free(ssl);
  }
  const std::lock_guard lock(mutex_);
  std::erase(sockets_, fd);
  close(fd);
}

void TlsServer::wait_until_all_closed() {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (sockets_.empty()) return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

DeafListener::DeafListener() {
  int listener = 0;
  std::tie(listener, port_) = listen_on_loopback(0);
  sockets_.push_back(listener);
  // The kernel completes one connection more than the backlog; whoever comes later gets no answer.
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port_));
  for (int i = 0; i < 3; ++i) {
    sockets_.push_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    (void)connect(sockets_.back(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  }
}

DeafListener::~DeafListener() {
  for (const int fd : sockets_) close(fd);
}

std::string http_reply(std::string_view body, int status, std::string_view headers) {
  return fmt::format("HTTP/1.1 {} Text\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(), headers, body);
}

std::string chunk(std::string_view bytes) {
  return fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes);
}

}  // namespace snapfreeze::kube
