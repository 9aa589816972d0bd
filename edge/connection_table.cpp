#include "edge/connection_table.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace snapfreeze::edge {

namespace {

using Phase = Connection::Phase;

auto dispensability(const Connection& connection) {
  const int group = connection.phase() == Phase::kLingering ? 0 : connection.served() ? 2 : 1;
  return std::tuple(group, connection.waiting_since());
}

}  // namespace

std::uint64_t ConnectionTable::add(std::unique_ptr<Connection> connection) {
  Entry& entry = entries_[++last_id_];
  entry.connection = std::move(connection);
  count_memory(entry);
  return last_id_;
}

ConnectionTable::Entry* ConnectionTable::find(std::uint64_t id) {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second;
}

void ConnectionTable::erase(std::uint64_t id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  memory_ -= found->second.memory;
  entries_.erase(found);
}

bool ConnectionTable::count_memory(Entry& entry) {
  const std::size_t before = std::exchange(entry.memory, entry.connection->memory());
  memory_ = memory_ - before + entry.memory;
  return entry.memory > before;
}

bool ConnectionTable::anything_in_flight() const {
  return std::any_of(entries_.begin(), entries_.end(), [](const auto& item) {
    const Entry& entry = item.second;
    return !entry.lost && !entry.connection->idle() && entry.connection->phase() != Phase::kLingering;
  });
}

Mono ConnectionTable::earliest_deadline() const {
  Mono earliest = Mono::max();
  for (const auto& [id, entry] : entries_) earliest = std::min(earliest, entry.connection->deadline());
  return earliest;
}

std::vector<std::uint64_t> ConnectionTable::idle() const {
  std::vector<std::uint64_t> ids;
  for (const auto& [id, entry] : entries_) {
    if (entry.connection->idle()) ids.push_back(id);
  }
  return ids;
}

std::vector<std::uint64_t> ConnectionTable::overdue(Mono now) const {
  std::vector<std::uint64_t> ids;
  for (const auto& [id, entry] : entries_) {
    if (entry.connection->deadline() <= now) ids.push_back(id);
  }
  return ids;
}

std::optional<std::uint64_t> ConnectionTable::most_dispensable() const {
  std::optional<std::uint64_t> best_id;
  const Connection* best = nullptr;
  for (const auto& [id, entry] : entries_) {
    const Connection& connection = *entry.connection;
    if (connection.phase() == Phase::kHandling || connection.phase() == Phase::kWriting) continue;
    if (best != nullptr && dispensability(*best) <= dispensability(connection)) continue;
    best = &connection;
    best_id = id;
  }
  return best_id;
}

std::optional<std::uint64_t> ConnectionTable::greediest(std::size_t at_least) const {
  std::optional<std::uint64_t> best_id;
  std::size_t most = at_least;
  for (const auto& [id, entry] : entries_) {
    if (entry.connection->phase() != Phase::kReading || entry.memory <= most) continue;
    most = entry.memory;
    best_id = id;
  }
  return best_id;
}

}  // namespace snapfreeze::edge
