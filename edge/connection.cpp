#include "edge/connection.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <thread>
#include <utility>

namespace snapfreeze::edge {

namespace {

using Phase = ConnectionTable::Phase;

constexpr std::size_t kHeadPiece = 4 * 1024;  // an admission comes in one or two
constexpr std::size_t kFirstBody = 16 * 1024;
// Discarded at a time, followed by a pause, so that a fast peer takes little of the processor: 25 MiB a second.
constexpr std::size_t kDiscarded = 256 * 1024;
constexpr Millis kDiscardPause{10};
constexpr Millis kLingerTime{2000};

}  // namespace

Connection::Connection(tls::FileDescriptor socket, std::string peer, const tls::Context* context,
                       const ServerOptions& options, Budget& budget, ConnectionTable& table,
                       ConnectionTable::Place place)
    : stream_(std::move(socket), context),
      peer_(std::move(peer)),
      options_(options),
      budget_(budget),
      table_(table),
      place_(place) {}

bool Connection::shake_hands(Turns& turns) {
  const Mono accepted = now();
  const Mono deadline = accepted + options_.handshake_timeout;
  while (true) {
    {
      const std::unique_lock turn(turns, deadline);
      if (!turn) return false;
      const auto shaken = stream_.shake_hands();
      if (!shaken) return false;
      if (*shaken) break;
    }
    if (!table_.move(place_, Phase::kIdle, accepted)) return false;
    if (stream_.await({deadline}) != tls::Stream::Wait::kReady) return false;
  }
  return table_.move(place_, Phase::kIdle, now());
}

bool Connection::await_request() {
  if (in_.empty()) {
    // A readable socket is enough, even without a whole TLS record: a request that trickles in has begun.
    if (stream_.await_input({now() + options_.idle_timeout}) != tls::Stream::Wait::kReady) return false;
  }
  arrival_ = now();
  deadline_ = arrival_ + options_.request_timeout;
  return table_.move(place_, Phase::kReading, arrival_);
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
  while (true) {
    if (const auto end = head_end_.find(in_)) {
      head_size_ = *end;
      return head_size_ > options_.limits.head ? Outcome::kTooLarge : Outcome::kDone;
    }
    const std::size_t size = in_.size();
    if (size > options_.limits.head) return Outcome::kTooLarge;
    in_.resize(size + kHeadPiece);
    std::size_t got = 0;
    const Outcome outcome = read_more(in_.data() + size, kHeadPiece, got);
    in_.resize(size + got);
    if (outcome != Outcome::kDone) return outcome;
  }
}

Connection::Outcome Connection::read_body(std::size_t size) {
  memory_.emplace(budget_, [this] { wake_->wake(); });
  const Outcome outcome = fill_body(size);
  if (outcome == Outcome::kDone) {
    memory_->keep();
  } else {
    std::string().swap(body_);
    memory_.reset();
  }
  wake_.reset();
  return outcome;
}

// The buffer doubles as bytes come, so that a length that was only claimed costs nothing.
Connection::Outcome Connection::fill_body(std::size_t size) {
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
  body_.resize(filled);
  return Outcome::kDone;
}

void Connection::begin_reply() {
  std::string().swap(body_);
  // If it was thrown out, its socket is shut down and the write fails.
  (void)table_.move(place_, Phase::kWriting, now());
  deadline_ = now() + options_.request_timeout;
}

bool Connection::write(std::string_view bytes) {
  return stream_.write(bytes, {deadline_}).ok();
}

void Connection::end_request() {
  in_.erase(0, head_size_);
  if (in_.empty()) std::string().swap(in_);  // an idle connection holds no memory
  head_end_ = {};
  head_size_ = 0;
  memory_.reset();
  if (in_.empty()) (void)table_.move(place_, Phase::kIdle, now());
}

void Connection::linger() {
  end_request();
  stream_.finish_writing();
  const Mono end = now() + kLingerTime;
  std::size_t discarded = 0;
  std::array<char, 4096> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): only written
  while (table_.move(place_, Phase::kLingering, now()) && stream_.discard(buffer, {end})) {
    discarded += buffer.size();
    if (discarded % kDiscarded == 0) std::this_thread::sleep_for(kDiscardPause);
  }
}

}  // namespace snapfreeze::edge
