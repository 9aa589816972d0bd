// All connections of a server, how far each is, and which of them can be spared.
// Each has a thread of its own that waits in poll(). shutdown() of its socket ends that wait and throws it out.
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
    kLingering,  // nothing more is expected of it
    kReading,    // a request has begun
    kHandling,   // it is complete, and the handler's
    kWriting,    // its reply is on the way
  };
  struct Entry {
    int socket;
    Mono waiting_since;  // accepted, or last answered
    Phase phase = Phase::kNew;
    bool served = false;  // had a complete request before
    bool over = false;    // its socket is shut down, or about to be closed
  };
  using Place = std::list<Entry>::iterator;

  ConnectionTable(int most, int most_new) : most_(most), most_new_(most_new) {}

  // A place for a new connection. If the table is full, another one is thrown out for it; nullopt if every connection
  // has a request that is being handled or answered. Waits while `most_new` are new. The rest stay in the kernel's
  // queue, where peers that go away cost nothing. Once accepted, each would wake a thread, and all of those threads
  // would compete for the processors.
  std::optional<Place> enter(int socket, Mono now);
  // Throws out the connection that can best be spared, and waits up to a second until it is gone. False: there is none,
  // or it is still there.
  bool make_room();
  // The socket is about to be closed; its number may be reused at once.
  void forget_socket(Place place);
  void leave(Place place);

  // False: the connection was thrown out, and its thread has to end.
  bool move(Place place, Phase phase, Mono now);

  // Throws out all connections: idle ones at once, the others when every request is answered, or at the deadline. True
  // if all were answered.
  bool end(Mono deadline);

 private:
  static constexpr Millis kGoing{1000};  // for one that was thrown out to go

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
