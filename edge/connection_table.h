// All connections of a server, how far each is, and which of them can be spared.
// Each has a thread of its own that waits in poll(); it is thrown out by shutdown() of its socket, which ends the wait.
#pragma once

#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>

#include "base/clock.h"

namespace snapfreeze::edge {

// Thread-safe.
class ConnectionTable {
 public:
  enum class Phase {
    kNew,        // not yet looked at by its thread
    kIdle,       // in its handshake, or between two requests
    kReading,    // a request has begun
    kHandling,   // it is complete, and the handler's
    kWriting,    // its reply is on the way
    kLingering,  // nothing more is expected of it
  };
  struct Entry {
    int socket = -1;  // -1: about to be closed
    Phase phase = Phase::kNew;
    Mono waiting_since{};     // accepted, or last answered
    bool served = false;      // had a complete request before
    bool thrown_out = false;  // its socket is shut down
  };
  using Place = std::list<Entry>::iterator;

  ConnectionTable(int most, int most_new) : most_(most), most_new_(most_new) {}

  // A place for a new connection, if need be another's. None when all that there are have a request handled or
  // answered. Waits while `most_new` are new. The others stay in the kernel's queue, where those that go away cost
  // nothing; accepted, each would wake a thread, and all of them would compete for the processors at once.
  std::optional<Place> enter(int socket, Mono now);
  // Throws out the one that can best be spared, and waits a moment until it is gone. False: there is none, or it stays.
  bool make_room();
  // The socket is about to be closed, and its number may be another's at once.
  void forget_socket(Place place);
  void leave(Place place);

  // False when it was thrown out: then it ends here.
  bool move(Place place, Phase phase, Mono now);

  // For the end of the server.
  void close_idle();
  bool await_answers(Mono deadline);  // true when no request is on its way any more
  void close_all();

 private:
  static constexpr Millis kGoing{1000};  // that one thrown out may take to go

  [[nodiscard]] bool in_flight() const;
  bool throw_out_one(std::unique_lock<std::mutex>& lock);
  static void throw_out(Entry& entry);

  const int most_;
  const int most_new_;
  std::mutex mutex_;
  std::condition_variable changed_;  // one left or moved
  std::list<Entry> entries_;
  int new_ = 0;
};

}  // namespace snapfreeze::edge
