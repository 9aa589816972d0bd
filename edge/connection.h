// One connection: reads the bytes of requests and writes those of replies. Each wait has the deadline of the whole
// handshake, request or reply. It does not know what the bytes mean, except where a head ends.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>

#include "base/budget.h"
#include "base/turns.h"
#include "edge/connection_table.h"
#include "edge/http.h"
#include "edge/options.h"
#include "tls/listener.h"
#include "tls/stream.h"
#include "tls/wake_up.h"

namespace snapfreeze::edge {

// What the connections of a server share. Thread-safe.
struct Shared {
  Shared(ServerOptions given, Handler its_handler);

  const ServerOptions options;
  const Handler handler;
  std::optional<tls::Context> context;  // none: plain
  Turns handshakes;
  Turns requests;
  Budget memory;  // of requests
  ConnectionTable table;
  std::atomic<bool> winding_down = false;  // each reply ends its connection
};

// Used by one thread.
class Connection {
 public:
  enum class Outcome {
    kDone,
    kLost,      // closed by the peer, thrown out, or broken
    kTooSlow,   // its deadline passed
    kTooLarge,  // more than it may have
  };

  Connection(Shared& shared, tls::Accepted accepted, ConnectionTable::Place place);

  // One step at a time, each in its turn, since a handshake costs forty times what a request does. False: it failed.
  bool shake_hands();
  // Waits until a request begins. False: none does.
  bool await_request();
  // Reads to the end of the head, or until it is clear that there is no valid head; see end_of_head.
  Outcome read_head();
  [[nodiscard]] std::string_view head() const { return std::string_view(in_).substr(0, head_size_); }
  // Reads what follows the head. kTooLarge: memory is short, and this request holds most of it.
  Outcome read_body(std::size_t size);
  std::string take_body() { return std::move(body_); }

  bool begin_handling() { return move(ConnectionTable::Phase::kHandling); }
  // The request is no longer needed.
  void begin_reply();
  bool write(std::string_view bytes);
  // Forgets the request, so that the next can be read.
  void end_request();
  // After the last request. A socket that is closed while unread bytes wait sends a reset, which can destroy the reply
  // on its way. So whatever still comes is discarded for a while, until the peer closes.
  void linger();

  [[nodiscard]] const std::string& peer() const { return peer_; }
  [[nodiscard]] Mono arrival() const { return arrival_; }  // of the request's first byte

 private:
  bool move(ConnectionTable::Phase phase) { return shared_.table.move(place_, phase, Mono::clock::now()); }
  Outcome read_more(char* buffer, std::size_t size, std::size_t& got);

  Shared& shared_;
  tls::Stream stream_;
  const std::string peer_;
  const ConnectionTable::Place place_;
  Mono arrival_{};
  Mono deadline_{};
  std::optional<tls::WakeUp> wake_;      // its request is to be refused, as it holds most memory; only of a large one
  std::optional<Budget::Share> memory_;  // of the request
  std::string in_;                       // the head, and what came with it
  std::size_t head_size_ = 0;
  std::string body_;
};

}  // namespace snapfreeze::edge
