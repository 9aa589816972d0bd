// All connections of a server by their id, what they hold together, and which of them can be spared. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "edge/connection.h"

namespace snapfreeze::edge {

class ConnectionTable {
 public:
  struct Entry {
    std::unique_ptr<Connection> connection;
    std::uint32_t interest = 0;  // what epoll was told
    bool lost = false;           // the peer reset it while its request was handled
    std::size_t memory = 0;      // of the connection, when it was last counted
  };

  // Ids start above this one and are never used twice: an event or a reply that comes late finds nothing.
  explicit ConnectionTable(std::uint64_t last_id) : last_id_(last_id) {}

  std::uint64_t add(std::unique_ptr<Connection> connection);
  [[nodiscard]] Entry* find(std::uint64_t id);
  void erase(std::uint64_t id);
  void clear() { entries_.clear(); }

  // After a change of this connection: true when it holds more than before.
  bool count_memory(Entry& entry);

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::size_t memory() const { return memory_; }
  [[nodiscard]] bool anything_in_flight() const;  // a request has begun and its reply is not yet sent
  [[nodiscard]] Mono earliest_deadline() const;
  [[nodiscard]] std::vector<std::uint64_t> idle() const;
  [[nodiscard]] std::vector<std::uint64_t> overdue(Mono now) const;
  // The one to close for another's sake: one that only lingers, else the one that has waited longest for its handshake
  // or request, strangers before those that had a request served. None while all are handled or answered.
  [[nodiscard]] std::optional<std::uint64_t> most_dispensable() const;
  // The unfinished request that holds most, and more than `at_least` bytes.
  [[nodiscard]] std::optional<std::uint64_t> greediest(std::size_t at_least) const;

 private:
  std::unordered_map<std::uint64_t, Entry> entries_;
  std::uint64_t last_id_;
  std::size_t memory_ = 0;
};

}  // namespace snapfreeze::edge
