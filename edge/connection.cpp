#include "edge/connection.h"

#include <array>
#include <string_view>
#include <utility>

namespace snapfreeze::edge {

namespace {

// A TLS record's largest payload: one read empties it, so that nothing waits inside OpenSSL where epoll cannot see it.
constexpr std::size_t kReadSize = 16 * 1024;
// At a time, so that one fast peer cannot hold the loop.
constexpr int kReadsInARow = 4;
constexpr Millis kLingerTime{2000};

}  // namespace

Connection::Connection(FileDescriptor socket, std::string peer, const tls::Context* tls, ParserLimits limits,
                       const ConnectionTimeouts& timeouts, Mono now)
    : stream_(std::move(socket), tls),
      peer_(std::move(peer)),
      timeouts_(timeouts),
      parser_(limits),
      deadline_(now + timeouts.handshake),
      waiting_since_(now) {}

bool Connection::idle() const {
  return phase_ == Phase::kHandshake || (phase_ == Phase::kReading && arrival_ == Mono{});
}

bool Connection::wants_read() const {
  return phase_ != Phase::kHandling && wait_ == Stream::Outcome::kWantRead;
}

bool Connection::wants_write() const {
  return phase_ != Phase::kHandling && wait_ == Stream::Outcome::kWantWrite;
}

void Connection::advance(Mono now) {
  switch (phase_) {
    case Phase::kHandshake:
      return shake_hands(now);
    case Phase::kReading:
      // Also when no whole TLS record comes of it: a request that trickles in has begun.
      begin_request(now);
      return read(now);
    case Phase::kWriting:
      return write(now);
    case Phase::kLingering:
      if (stream_.discard() == Stream::Outcome::kClosed) phase_ = Phase::kClosed;
      return;
    case Phase::kHandling:
    case Phase::kClosed:
      return;
  }
}

void Connection::shake_hands(Mono now) {
  wait_ = stream_.handshake();
  if (wait_ == Stream::Outcome::kClosed) phase_ = Phase::kClosed;
  if (wait_ != Stream::Outcome::kDone) return;
  wait_for_request(now);
  read(now);
}

void Connection::wait_for_request(Mono now) {
  phase_ = Phase::kReading;
  wait_ = Stream::Outcome::kWantRead;
  arrival_ = {};
  waiting_since_ = now;
  deadline_ = now + timeouts_.idle;
}

void Connection::begin_request(Mono now) {
  if (arrival_ != Mono{}) return;
  arrival_ = now;
  deadline_ = now + timeouts_.request;
}

void Connection::read(Mono now) {
  std::array<char, kReadSize> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): read() says how much is set
  for (int i = 0; i < kReadsInARow && phase_ == Phase::kReading; ++i) {
    const Stream::Transfer got = stream_.read(buffer);
    wait_ = got.outcome == Stream::Outcome::kDone ? Stream::Outcome::kWantRead : got.outcome;
    if (got.outcome == Stream::Outcome::kClosed) phase_ = Phase::kClosed;
    if (got.outcome != Stream::Outcome::kDone) return;
    begin_request(now);
    act_on(parser_.feed(std::string_view(buffer.data(), got.size)), now);
  }
}

void Connection::act_on(HttpParser::State state, Mono now) {
  if (state == HttpParser::State::kComplete) {
    phase_ = Phase::kHandling;
    deadline_ = Mono::max();
    request_ready_ = true;
  }
  if (state == HttpParser::State::kRefused) refuse(parser_.refusal(), now);
}

HttpRequest Connection::take_request() {
  keep_open_ = parser_.keep_alive();
  request_ready_ = false;
  served_ = true;
  HttpRequest request = parser_.take();
  request.peer = peer_;
  request.arrival = arrival_;
  in_hand_ = request.body.capacity();
  return request;
}

void Connection::respond(std::string bytes, bool keep_open, Mono now) {
  phase_ = Phase::kWriting;
  in_hand_ = 0;
  keep_open_ = keep_open;
  output_ = std::move(bytes);
  written_ = 0;
  deadline_ = now + timeouts_.request;
  write(now);
}

void Connection::refuse(const HttpResponse& response, Mono now) {
  parser_.give_up();
  respond(serialize(response, false), false, now);
}

void Connection::write(Mono now) {
  while (written_ < output_.size()) {
    const Stream::Transfer put = stream_.write(std::string_view(output_).substr(written_));
    wait_ = put.outcome;
    if (put.outcome == Stream::Outcome::kClosed) phase_ = Phase::kClosed;
    if (put.outcome != Stream::Outcome::kDone) return;
    written_ += put.size;
  }
  std::string().swap(output_);  // assigning an empty string would keep the memory
  if (!keep_open_) return linger(now);

  wait_for_request(now);
  if (parser_.empty()) return;
  begin_request(now);
  act_on(parser_.feed(""), now);
}

void Connection::linger(Mono now) {
  stream_.finish_writing();
  phase_ = Phase::kLingering;
  wait_ = Stream::Outcome::kWantRead;
  deadline_ = now + kLingerTime;
}

void Connection::expire(Mono now) {
  if (phase_ == Phase::kReading && !idle()) {
    return refuse(text_response(408, "the request was not complete in time"), now);
  }
  phase_ = Phase::kClosed;
}

}  // namespace snapfreeze::edge
