// One connection: reads the bytes of requests and writes those of replies. Each wait has the deadline of the whole
// handshake, request or reply. It does not know what the bytes mean, except where a head ends.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/budget.h"
#include "base/turns.h"
#include "edge/connection_table.h"
#include "edge/head.h"
#include "edge/options.h"
#include "tls/stream.h"
#include "tls/wake_up.h"

namespace snapfreeze::edge {

// Used by one thread.
class Connection {
 public:
  enum class Outcome {
    kDone,
    kLost,      // closed by the peer, thrown out, or broken
    kTooSlow,   // its deadline passed
    kTooLarge,  // more than it may have
  };

  // A request of up to this size is never refused to save memory: an admission has 3 KiB.
  static constexpr std::size_t kAlwaysBuffered = 20 * 1024;

  // All but `socket` and `peer` outlive it. Without a context: plain.
  Connection(tls::FileDescriptor socket, std::string peer, const tls::Context* context, const ServerOptions& options,
             Budget& budget, ConnectionTable& table, ConnectionTable::Place place);

  // One step at a time, each in its turn, since a handshake costs forty times what a request does. False: it failed.
  bool shake_hands(Turns& turns);
  // Waits until a request begins. False: none does.
  bool await_request();
  // Reads to the end of the head, or until it is clear that there is no valid head; see HeadEnd.
  Outcome read_head();
  [[nodiscard]] std::string_view head() const { return std::string_view(in_).substr(0, head_size_); }
  // Reads what follows the head. kTooLarge: memory is short, and this request holds most of it.
  Outcome read_body(std::size_t size);
  std::string take_body() { return std::move(body_); }

  bool begin_handling() { return table_.move(place_, ConnectionTable::Phase::kHandling, now()); }
  void begin_reply();
  bool write(std::string_view bytes);
  // Forgets the request, so that the next can be read.
  void end_request();
  // A socket that is closed while unread bytes wait sends a reset, which can destroy the reply on its way. So whatever
  // still comes is discarded for a while, until the peer closes.
  void linger();

  [[nodiscard]] const std::string& peer() const { return peer_; }
  [[nodiscard]] Mono arrival() const { return arrival_; }  // of the request's first byte
  static Mono now() { return std::chrono::steady_clock::now(); }

 private:
  Outcome read_more(char* buffer, std::size_t size, std::size_t& got);
  Outcome fill_body(std::size_t size);

  tls::Stream stream_;
  const std::string peer_;
  const ServerOptions& options_;
  Budget& budget_;
  ConnectionTable& table_;
  const ConnectionTable::Place place_;
  Mono arrival_{};
  Mono deadline_{};
  std::optional<tls::WakeUp> wake_;      // its request is to be refused; only while much of it is read
  std::optional<Budget::Share> memory_;  // of the request
  std::string in_;                       // the head, and what came with it
  HeadEnd head_end_;
  std::size_t head_size_ = 0;
  std::string body_;
};

}  // namespace snapfreeze::edge
