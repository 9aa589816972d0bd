#include "tls/stream.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include "tls/openssl.h"
#include "tls/pem.h"

namespace snapfreeze::tls {

namespace {

Error transient(std::string message) {
  return {Code::kTransient, std::move(message)};
}

std::string system_error(const char* doing, int error) {
  return std::string(doing) + ": " + std::strerror(error);
}

std::string openssl_reason() {
  const std::string reason = take_reason();
  return reason.empty() ? "unknown error" : reason;
}

bool is_ip(const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return inet_pton(AF_INET, name.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, name.c_str(), address.data()) == 1;
}

// Only subject alternative names count, as in Go: without this an IP address may pass by the common name.
bool expect_peer(SSL* ssl, const std::string& name) {
  if (SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE) return true;
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

SSL* new_session(const Context* context, int fd) {
  SSL* session = context == nullptr ? nullptr : SSL_new(context->get());
  if (session != nullptr && SSL_set_fd(session, fd) != 1) {
    SSL_free(session);
    session = nullptr;
  }
  ERR_clear_error();
  return session;
}

}  // namespace

void Stream::Free::operator()(SSL* session) const {
  SSL_free(session);
}

Stream::Stream(FileDescriptor socket, const Context* context)
    : socket_(std::move(socket)), encrypted_(context != nullptr), session_(new_session(context, socket_.get())) {
  if (session_ && SSL_is_server(session_.get()) == 1) SSL_set_accept_state(session_.get());
}

Stream::~Stream() = default;

Result<std::unique_ptr<Stream>> Stream::connect(const Context& context, const Address& address,
                                                const std::string& verify_name, const WaitLimit& limit) {
  const auto* socket_address = reinterpret_cast<const sockaddr*>(address.bytes);
  FileDescriptor fd(::socket(socket_address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return transient(system_error("socket", errno));
  tune(fd.get());
  auto stream = std::make_unique<Stream>(std::move(fd), &context);
  if (auto connected = stream->connect(address, limit); !connected) return connected.error();
  if (stream->session_ == nullptr || !expect_peer(stream->session_.get(), verify_name)) {
    return transient("TLS: " + openssl_reason());
  }
  SSL_set_connect_state(stream->session_.get());
  if (auto shaken = stream->handshake(limit); !shaken) return shaken.error();
  return stream;
}

Result<void> Stream::connect(const Address& address, const WaitLimit& limit) {
  if (::connect(socket(), reinterpret_cast<const sockaddr*>(address.bytes), address.length) == 0) return {};
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
  getsockopt(socket(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return transient(system_error("connect", error));
  return {};
}

Result<void> Stream::handshake(const WaitLimit& limit) {
  for (;;) {
    const auto shaken = shake_hands();
    if (!shaken) return shaken.error();
    if (*shaken) return {};
    const Wait waited = await(limit);
    if (waited == Wait::kStopped) return Error{Code::kCancelled, "stopped"};
    if (waited == Wait::kTimedOut) return transient("TLS handshake: timed out");
  }
}

Result<bool> Stream::shake_hands() {
  if (!encrypted_) return true;
  if (!session_) return transient("TLS: no memory for a session");
  ERR_clear_error();
  const int returned = SSL_do_handshake(session_.get());
  if (returned == 1) return true;
  const long verified = SSL_get_verify_result(session_.get());
  if (SSL_is_server(session_.get()) == 0 && SSL_get_verify_mode(session_.get()) != SSL_VERIFY_NONE &&
      verified != X509_V_OK) {
    return transient(std::string("TLS handshake: the server's certificate is refused: ") +
                     X509_verify_cert_error_string(verified));
  }
  if (auto noted = note(returned, "TLS handshake"); !noted) return noted.error();
  return false;
}

Stream::Wait Stream::await_input(const WaitLimit& limit) const {
  if (session_ && SSL_pending(session_.get()) > 0) return Wait::kReady;
  return wait(POLLIN, limit);
}

Result<void> Stream::write(std::string_view bytes, const WaitLimit& limit) {
  while (!bytes.empty()) {
    ERR_clear_error();
    std::size_t written = 0;
    int returned = 0;
    if (encrypted_) {
      returned = SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &written);
    } else if (const ssize_t size = ::send(socket(), bytes.data(), bytes.size(), MSG_NOSIGNAL); size >= 0) {
      written = static_cast<std::size_t>(size);
      returned = 1;
    } else {
      wanted_ = POLLOUT;
    }
    if (returned == 1) {
      bytes.remove_prefix(written);
      continue;
    }
    const auto waited = wait_for(returned, "write", limit);
    if (!waited) return waited.error();
    if (*waited == Wait::kTimedOut) return transient("write: timed out");
  }
  return {};
}

Result<Stream::Read> Stream::read(std::span<char> buffer, const WaitLimit& limit) {
  for (;;) {
    ERR_clear_error();
    std::size_t count = 0;
    int returned = 0;
    if (encrypted_) {
      returned = SSL_read_ex(session_.get(), buffer.data(), buffer.size(), &count);
      if (returned != 1 && SSL_get_error(session_.get(), returned) == SSL_ERROR_ZERO_RETURN) {
        return Read{Read::Outcome::kClosed, 0};
      }
    } else {
      const ssize_t size = ::recv(socket(), buffer.data(), buffer.size(), 0);
      if (size == 0) return Read{Read::Outcome::kClosed, 0};
      returned = size > 0 ? 1 : 0;
      count = static_cast<std::size_t>(size);
      wanted_ = POLLIN;
    }
    if (returned == 1) return Read{Read::Outcome::kBytes, count};
    const auto waited = wait_for(returned, "read", limit);
    if (!waited) return waited.error();
    if (*waited == Wait::kTimedOut) return Read{Read::Outcome::kTimedOut, 0};
  }
}

bool Stream::stale() {
  ERR_clear_error();
  char byte = 0;
  std::size_t count = 0;
  const int result = SSL_peek_ex(session_.get(), &byte, 1, &count);
  const bool silent = result != 1 && SSL_get_error(session_.get(), result) == SSL_ERROR_WANT_READ;
  ERR_clear_error();
  return !silent;
}

void Stream::finish_writing() {
  if (session_ && SSL_is_init_finished(session_.get()) == 1) SSL_shutdown(session_.get());
  ERR_clear_error();
  ::shutdown(socket(), SHUT_WR);
}

bool Stream::discard(std::span<char> buffer, const WaitLimit& limit) {
  if (wait(POLLIN, limit) != Wait::kReady) return false;
  const ssize_t size = ::recv(socket(), buffer.data(), buffer.size(), 0);
  return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

Result<std::string> Stream::peer_certificates() const {
  const STACK_OF(X509)* chain = session_ ? SSL_get_peer_cert_chain(session_.get()) : nullptr;
  if (chain == nullptr) return transient("the handshake came without a certificate");
  std::string all;
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    const auto pem = to_pem(sk_X509_value(chain, i));
    if (!pem) return pem.error();
    all += *pem;
  }
  return all;
}

Result<void> Stream::note(int returned, const char* doing) {
  const int saved = errno;
  if (!encrypted_) {
    if (saved == EAGAIN || saved == EWOULDBLOCK || saved == EINTR) return {};
    return transient(system_error(doing, saved));
  }
  const int error = SSL_get_error(session_.get(), returned);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
    wanted_ = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
    return {};
  }
  if (error == SSL_ERROR_ZERO_RETURN) return transient(std::string(doing) + ": the server closed the connection");
  if (error == SSL_ERROR_SYSCALL && ERR_peek_error() == 0 && saved != 0) return transient(system_error(doing, saved));
  return transient(std::string(doing) + ": " + openssl_reason());
}

Result<Stream::Wait> Stream::wait_for(int returned, const char* doing, const WaitLimit& limit) {
  if (auto noted = note(returned, doing); !noted) return noted.error();
  const Wait waited = await(limit);
  if (waited == Wait::kStopped) return Error{Code::kCancelled, "stopped"};
  return waited;
}

Stream::Wait Stream::wait(short events, const WaitLimit& limit) const {
  std::array<pollfd, 2> fds{pollfd{socket(), events, 0}, pollfd{limit.stop_fd, POLLIN, 0}};
  for (;;) {
    // Rounded up: otherwise the loop would spin through the last millisecond.
    const auto left = std::chrono::ceil<Millis>(limit.deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0) return Wait::kTimedOut;
    const int ready =
        poll(fds.data(), limit.stop_fd < 0 ? 1 : 2, static_cast<int>(std::min<Millis::rep>(left, INT_MAX)));
    if (ready < 0 && errno != EINTR) return Wait::kTimedOut;  // cannot wait at all; a loop would spin
    if (ready > 0 && fds[1].revents != 0) return Wait::kStopped;
    if (ready > 0) return Wait::kReady;
  }
}

}  // namespace snapfreeze::tls
