#include "edge/connection.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <thread>
#include <utility>

#include "edge/head.h"

namespace snapfreeze::edge {

namespace {

using Phase = ConnectionTable::Phase;

// A request of up to this size is never refused to save memory: an admission has 3 KiB.
constexpr std::size_t kAlwaysBuffered = 20 * 1024;
constexpr std::size_t kHeadPiece = 4 * 1024;  // an admission comes in one or two
constexpr std::size_t kFirstBody = 16 * 1024;
// Discarded at a time, followed by a pause, so that a fast peer takes little of the processor: 25 MiB a second.
constexpr std::size_t kDiscarded = 256 * 1024;
constexpr Millis kDiscardPause{10};
constexpr Millis kLingerTime{2000};

Mono now() {
  return std::chrono::steady_clock::now();
}

// A handshake costs some 0.3 ms of CPU, a request 0.05 ms: handshakes get half of the processors at most.
int handshakes_at_once() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / 2);
}

}  // namespace

Shared::Shared(ServerOptions given, Handler its_handler)
    : options(std::move(given)),
      handler(std::move(its_handler)),
      handshakes(handshakes_at_once(), options.max_connections),
      requests(options.workers, options.queue),
      memory(options.max_buffered, kAlwaysBuffered),
      // One more than take turns, so that the next is there when a turn ends.
      table(tls::connections_allowed(options.max_connections), handshakes_at_once() + 1) {}

Connection::Connection(Shared& shared, tls::Accepted accepted, ConnectionTable::Place place)
    : shared_(shared),
      stream_(std::move(accepted.socket), shared.context ? &*shared.context : nullptr),
      peer_(std::move(accepted.peer)),
      place_(place) {}

bool Connection::shake_hands() {
  const Mono accepted = now();
  const Mono deadline = accepted + shared_.options.handshake_timeout;
  while (true) {
    {
      const std::unique_lock turn(shared_.handshakes, deadline);
      if (!turn) return false;
      const auto shaken = stream_.shake_hands();
      if (!shaken) return false;
      if (*shaken) break;
    }
    if (!shared_.table.move(place_, Phase::kIdle, accepted)) return false;
    if (stream_.await({deadline}) != tls::Stream::Wait::kReady) return false;
  }
  return move(Phase::kIdle);
}

bool Connection::await_request() {
  if (in_.empty()) {
    // A readable socket is enough, even without a whole TLS record: a request that trickles in has begun.
    if (stream_.await_input({now() + shared_.options.idle_timeout}) != tls::Stream::Wait::kReady) return false;
  }
  arrival_ = now();
  deadline_ = arrival_ + shared_.options.request_timeout;
  return move(Phase::kReading);
}

Connection::Outcome Connection::read_more(char* buffer, std::size_t size, std::size_t& got) {
  const auto read = stream_.read({buffer, size}, {deadline_, wake_ ? wake_->fd() : -1});
  if (!read) return read.error().code == Code::kCancelled ? Outcome::kTooLarge : Outcome::kLost;
  got = read->count;
  if (read->outcome == tls::Stream::Read::Outcome::kClosed) return Outcome::kLost;
  // The deadline bounds only the wait, so a peer that sends without a pause is caught here.
  if (read->outcome == tls::Stream::Read::Outcome::kTimedOut || now() >= deadline_) return Outcome::kTooSlow;
  return Outcome::kDone;
}

Connection::Outcome Connection::read_head() {
  std::size_t seen = 0;
  while (true) {
    if (const auto end = end_of_head(in_, seen)) {
      head_size_ = *end;
      return head_size_ > shared_.options.limits.head ? Outcome::kTooLarge : Outcome::kDone;
    }
    seen = in_.size();
    if (seen > shared_.options.limits.head) return Outcome::kTooLarge;
    in_.resize(seen + kHeadPiece);
    std::size_t got = 0;
    const Outcome outcome = read_more(in_.data() + seen, kHeadPiece, got);
    in_.resize(seen + got);
    if (outcome != Outcome::kDone) return outcome;
  }
}

// The buffer doubles as bytes come, so that a length that was only claimed costs nothing.
Connection::Outcome Connection::read_body(std::size_t size) {
  memory_.emplace(shared_.memory, [this] { wake_->wake(); });
  std::size_t filled = std::min(size, in_.size() - head_size_);
  body_.assign(in_, head_size_, filled);
  in_.erase(head_size_, filled);
  while (filled < size) {
    if (filled == body_.size()) {
      const std::size_t next = std::min(size, std::max(kFirstBody, 2 * filled));
      if (next > kAlwaysBuffered && !wake_ && wake_.emplace().fd() < 0) return Outcome::kTooLarge;
      if (!memory_->grow(next)) return Outcome::kTooLarge;
      body_.resize(next);
    }
    std::size_t got = 0;
    const Outcome outcome = read_more(body_.data() + filled, body_.size() - filled, got);
    if (outcome != Outcome::kDone) return outcome;
    filled += got;
  }
  memory_->keep();
  wake_.reset();
  return Outcome::kDone;
}

void Connection::begin_reply() {
  std::string().swap(body_);
  memory_.reset();
  wake_.reset();
  // If it was thrown out, its socket is shut down and the write fails.
  (void)move(Phase::kWriting);
  deadline_ = now() + shared_.options.request_timeout;
}

bool Connection::write(std::string_view bytes) {
  return stream_.write(bytes, {deadline_}).ok();
}

void Connection::end_request() {
  in_.erase(0, head_size_);
  if (in_.empty()) std::string().swap(in_);  // an idle connection holds no memory
  head_size_ = 0;
  if (in_.empty()) (void)move(Phase::kIdle);
}

void Connection::linger() {
  stream_.finish_writing();
  const Mono end = now() + kLingerTime;
  std::size_t discarded = 0;
  std::array<char, 4096> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): only written
  while (move(Phase::kLingering) && stream_.discard(buffer, {end})) {
    discarded += buffer.size();
    if (discarded % kDiscarded == 0) std::this_thread::sleep_for(kDiscardPause);
  }
}

}  // namespace snapfreeze::edge
