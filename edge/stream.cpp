#include "edge/stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace snapfreeze::edge {

namespace {

// Of the bytes thrown away at a time, so that one peer cannot hold the loop.
constexpr std::size_t kDiscardSize = 256 * 1024;

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

ssl_st* new_session(const tls::Context* tls, int socket) {
  SSL* session = tls == nullptr ? nullptr : SSL_new(tls->get());
  if (session != nullptr && SSL_set_fd(session, socket) != 1) {
    SSL_free(session);
    session = nullptr;
  }
  if (session != nullptr) SSL_set_accept_state(session);
  ERR_clear_error();
  return session;
}

}  // namespace

void Stream::SslFree::operator()(ssl_st* session) const {
  SSL_free(session);
}

Stream::Stream(FileDescriptor socket, const tls::Context* tls)
    : socket_(std::move(socket)), encrypted_(tls != nullptr), session_(new_session(tls, socket_.get())) {}

Stream::~Stream() = default;

Stream::Outcome Stream::outcome_of(int returned) {
  const int error = SSL_get_error(session_.get(), returned);
  // The queue belongs to the thread: what one connection leaves in it would be taken for the next one's error.
  ERR_clear_error();
  if (error == SSL_ERROR_WANT_READ) return Outcome::kWantRead;
  if (error == SSL_ERROR_WANT_WRITE) return Outcome::kWantWrite;
  return Outcome::kClosed;
}

Stream::Outcome Stream::handshake() {
  if (!encrypted_) return Outcome::kDone;
  if (!session_) return Outcome::kClosed;
  const int returned = SSL_do_handshake(session_.get());
  return returned == 1 ? Outcome::kDone : outcome_of(returned);
}

Stream::Transfer Stream::read(std::span<char> buffer) {
  if (encrypted_) {
    const int size = SSL_read(session_.get(), buffer.data(), static_cast<int>(buffer.size()));
    return size > 0 ? Transfer{Outcome::kDone, static_cast<std::size_t>(size)} : Transfer{outcome_of(size), 0};
  }
  const ssize_t size = ::recv(socket(), buffer.data(), buffer.size(), 0);
  if (size > 0) return {Outcome::kDone, static_cast<std::size_t>(size)};
  return {size < 0 && would_block() ? Outcome::kWantRead : Outcome::kClosed, 0};
}

Stream::Transfer Stream::write(std::string_view bytes) {
  if (encrypted_) {
    const int size = SSL_write(session_.get(), bytes.data(), static_cast<int>(bytes.size()));
    return size > 0 ? Transfer{Outcome::kDone, static_cast<std::size_t>(size)} : Transfer{outcome_of(size), 0};
  }
  const ssize_t size = ::send(socket(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (size >= 0) return {Outcome::kDone, static_cast<std::size_t>(size)};
  return {would_block() ? Outcome::kWantWrite : Outcome::kClosed, 0};
}

void Stream::finish_writing() {
  if (session_ && SSL_is_init_finished(session_.get())) SSL_shutdown(session_.get());
  ERR_clear_error();
  ::shutdown(socket(), SHUT_WR);
}

Stream::Outcome Stream::discard() {
  std::array<char, 16 * 1024> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): only written
  for (std::size_t total = 0; total < kDiscardSize; total += buffer.size()) {
    const ssize_t size = ::recv(socket(), buffer.data(), buffer.size(), 0);
    if (size > 0) continue;
    return size < 0 && would_block() ? Outcome::kWantRead : Outcome::kClosed;
  }
  return Outcome::kWantRead;
}

}  // namespace snapfreeze::edge
