#include "test/unit/edge/peer.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <utility>

TlsClient::TlsClient(const std::string& ca_pem) : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
  BIO* bio = BIO_new_mem_buf(ca_pem.data(), static_cast<int>(ca_pem.size()));
  while (X509* ca = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr)) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), ca);
    X509_free(ca);
  }
  ERR_clear_error();
  BIO_free(bio);
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
}

Peer::Peer(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  std::signal(SIGPIPE, SIG_IGN);  // a test is to fail, not to die, when the server has hung up
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval limit{20, 0};
  const int on = 1;
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return;
  ::close(socket_);
  socket_ = -1;
}

Peer::Peer(std::uint16_t port, const TlsClient& tls) : Peer(port) {
  session_ = SSL_new(tls.context());
  SSL_set_fd(session_, socket_);
  SSL_set1_host(session_, "webhook.svc");
  shaken_ = SSL_connect(session_) == 1;
}

Peer::Peer(Peer&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      session_(std::exchange(other.session_, nullptr)),
      shaken_(other.shaken_),
      received_(std::move(other.received_)) {}

Peer::~Peer() {
  SSL_free(session_);
  if (socket_ >= 0) ::close(socket_);
}

std::string Peer::served_serial() const {
  X509* certificate = SSL_get1_peer_certificate(session_);
  if (certificate == nullptr) return "none";
  BIGNUM* number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr);
  char* hex = BN_bn2hex(number);
  std::string serial = hex;
  OPENSSL_free(hex);
  BN_free(number);
  X509_free(certificate);
  return serial;
}

bool Peer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = session_ != nullptr ? SSL_write(session_, bytes.data(), static_cast<int>(bytes.size()))
                                             : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

void Peer::send_nothing_more() {
  ::shutdown(socket_, SHUT_WR);
}

void Peer::reset() {
  const linger now{1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(std::exchange(socket_, -1));
}

std::optional<std::size_t> Peer::read_some(char* buffer, std::size_t size) {
  const ssize_t got =
      session_ != nullptr ? SSL_read(session_, buffer, static_cast<int>(size)) : ::recv(socket_, buffer, size, 0);
  if (got <= 0) return std::nullopt;
  return static_cast<std::size_t>(got);
}

Reply Peer::receive() {
  Reply reply;
  std::size_t body_at = std::string::npos;
  std::size_t body_size = 0;
  while (body_at == std::string::npos || received_.size() < body_at + body_size) {
    if (body_at == std::string::npos && received_.find("\r\n\r\n") != std::string::npos) {
      body_at = received_.find("\r\n\r\n") + 4;
      const std::size_t length = received_.find("Content-Length: ");
      body_size = std::strtoul(received_.c_str() + length + 16, nullptr, 10);
      continue;
    }
    std::array<char, 16384> buffer{};
    const auto size = read_some(buffer.data(), buffer.size());
    if (!size) return {};
    received_.append(buffer.data(), *size);
  }
  reply.status = std::atoi(received_.c_str() + 9);
  reply.head = received_.substr(0, body_at);
  reply.body = received_.substr(body_at, body_size);
  received_.erase(0, body_at + body_size);
  return reply;
}

bool Peer::closed_within(snapfreeze::Millis limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (true) {
    const auto left = std::chrono::ceil<snapfreeze::Millis>(end - std::chrono::steady_clock::now());
    pollfd ready{socket_, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0) return false;
    std::array<char, 4096> buffer{};
    if (::recv(socket_, buffer.data(), buffer.size(), 0) <= 0) return true;
  }
}

std::string post(std::string_view body, std::string_view more_headers) {
  return std::string("POST /mutate?timeout=10s HTTP/1.1\r\nHost: webhook.svc\r\nContent-Type: application/json\r\n")
      .append(more_headers)
      .append("Content-Length: ")
      .append(std::to_string(body.size()))
      .append("\r\n\r\n")
      .append(body);
}

std::string get(std::string_view path) {
  return std::string("GET ").append(path).append(" HTTP/1.1\r\nHost: webhook.svc\r\n\r\n");
}
