// One connection as an explicit state machine. It never blocks, and knows neither epoll nor threads: the server's loop
// tells it that its socket is ready, or that its time is over. Not thread-safe.
//
//     kHandshake --> kReading --request complete--> kHandling --respond()--> kWriting --> kReading (kept open)
//                       |                                                       ^   \--> kLingering --> closed
//                       \-- refused, too slow, too large: respond() ------------/
//
// Lingering: a socket that is closed while unread bytes wait sends a reset, which can destroy the reply on its way. So
// what still comes in is thrown away for a while, until the peer closes.
#pragma once

#include <cstddef>
#include <string>

#include "base/clock.h"
#include "edge/http.h"
#include "edge/http_parser.h"
#include "edge/stream.h"

namespace snapfreeze::edge {

struct ConnectionTimeouts {
  Millis handshake;
  Millis request;  // the reply has as much again
  Millis idle;
};

class Connection {
 public:
  enum class Phase { kHandshake, kReading, kHandling, kWriting, kLingering, kClosed };

  Connection(FileDescriptor socket, std::string peer, const tls::Context* tls, ParserLimits limits,
             const ConnectionTimeouts& timeouts, Mono now);

  // Goes on as far as the socket lets it.
  void advance(Mono now);
  [[nodiscard]] bool request_ready() const { return request_ready_; }
  HttpRequest take_request();  // of a ready one; then respond() is due
  // `bytes` is a whole reply. Goes on at once, so that a pipelined request may be ready afterwards.
  void respond(std::string bytes, bool keep_open, Mono now);
  // Answers at once, whatever is still to be read, and ends the connection.
  void refuse(const HttpResponse& response, Mono now);
  // Its deadline has passed: a request that had begun is answered 408, anything else is closed.
  void expire(Mono now);

  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] Mono deadline() const { return deadline_; }            // none in kHandling: the handler has its own
  [[nodiscard]] Mono waiting_since() const { return waiting_since_; }  // accepted, or last answered
  [[nodiscard]] bool served() const { return served_; }                // had a complete request before
  [[nodiscard]] bool idle() const;                                     // no request has begun
  [[nodiscard]] bool wants_read() const;
  [[nodiscard]] bool wants_write() const;
  [[nodiscard]] bool client_keeps_open() const { return keep_open_; }
  [[nodiscard]] std::size_t memory() const { return parser_.memory() + in_hand_ + output_.capacity(); }
  [[nodiscard]] int socket() const { return stream_.socket(); }

 private:
  void shake_hands(Mono now);
  void read(Mono now);
  void act_on(HttpParser::State state, Mono now);
  void write(Mono now);
  void wait_for_request(Mono now);
  void begin_request(Mono now);
  void linger(Mono now);

  Stream stream_;
  const std::string peer_;
  const ConnectionTimeouts& timeouts_;
  HttpParser parser_;
  Phase phase_ = Phase::kHandshake;
  Stream::Outcome wait_ = Stream::Outcome::kWantRead;
  Mono deadline_;
  Mono waiting_since_;
  Mono arrival_{};  // of the request's first byte; zero: none has come
  bool request_ready_ = false;
  bool served_ = false;
  bool keep_open_ = true;
  std::size_t in_hand_ = 0;  // bytes of the request that is being handled
  std::string output_;
  std::size_t written_ = 0;
};

}  // namespace snapfreeze::edge
