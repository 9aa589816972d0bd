// All connections of a server, how far each is, what their requests hold in memory, and which of them can be spared.
// Each has a thread of its own that waits in poll(); it is thrown out by shutdown() of its socket, which ends the wait.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <list>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "tls/wake_up.h"

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
    Mono waiting_since{};             // accepted, or last answered
    bool served = false;              // had a complete request before
    bool thrown_out = false;          // its socket is shut down
    bool too_greedy = false;          // its request is to be refused
    std::size_t memory = 0;           // bytes that its request holds
    std::optional<tls::WakeUp> wake;  // when it is too greedy; only while it holds much
  };
  using Place = std::list<Entry>::iterator;

  // Closes one that a request up to this size came over never for memory's sake: an admission has 3 KiB.
  static constexpr std::size_t kAlwaysBuffered = 20 * 1024;

  ConnectionTable(int most, int most_new, std::size_t max_memory)
      : most_(most), most_new_(most_new), max_memory_(max_memory) {}

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

  // Its request is about to hold so many bytes. False: it is the one that has to go when there are too many.
  bool hold(Place place, std::size_t bytes);
  // To be waited for beside the socket while the request is read; -1: not needed.
  [[nodiscard]] int wake_of(Place place);

  // For the end of the server.
  void close_idle();
  bool await_answers(Mono deadline);  // true when no request is on its way any more
  void close_all();

 private:
  static constexpr Millis kGoing{1000};    // that one thrown out may take to go
  static constexpr Millis kFreeing{1000};  // that a greedy request may take to free its memory

  [[nodiscard]] bool in_flight() const;
  bool throw_out_one(std::unique_lock<std::mutex>& lock);
  static void throw_out(Entry& entry);

  const int most_;
  const int most_new_;
  const std::size_t max_memory_;
  std::mutex mutex_;
  std::condition_variable changed_;  // one left, moved or freed memory
  std::list<Entry> entries_;
  std::size_t memory_ = 0;
  int new_ = 0;
};

}  // namespace snapfreeze::edge
