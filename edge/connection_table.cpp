#include "edge/connection_table.h"

#include <sys/socket.h>

#include <algorithm>
#include <tuple>

namespace snapfreeze::edge {

namespace {

using Phase = ConnectionTable::Phase;

// A smaller value is more easily spared. Strangers go before peers that had a request served.
auto worth(const ConnectionTable::Entry& entry) {
  const int group = entry.phase == Phase::kLingering ? 0 : entry.served ? 2 : 1;
  return std::tuple(group, entry.waiting_since);
}

bool can_be_spared(const ConnectionTable::Entry& entry) {
  return entry.socket >= 0 && !entry.thrown_out && entry.phase != Phase::kHandling && entry.phase != Phase::kWriting;
}

}  // namespace

void ConnectionTable::throw_out(Entry& entry) {
  if (entry.socket >= 0) ::shutdown(entry.socket, SHUT_RDWR);
  entry.thrown_out = true;
}

std::optional<ConnectionTable::Place> ConnectionTable::enter(int socket, Mono now) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kGoing, [&] { return new_ < most_new_; });
  if (static_cast<int>(entries_.size()) >= most_ && !throw_out_one(lock)) return std::nullopt;
  Entry entry;
  entry.socket = socket;
  entry.waiting_since = now;
  ++new_;
  return entries_.insert(entries_.end(), entry);
}

bool ConnectionTable::make_room() {
  std::unique_lock lock(mutex_);
  return throw_out_one(lock);
}

bool ConnectionTable::throw_out_one(std::unique_lock<std::mutex>& lock) {
  auto spared = entries_.end();
  for (auto each = entries_.begin(); each != entries_.end(); ++each) {
    if (can_be_spared(*each) && (spared == entries_.end() || worth(*each) < worth(*spared))) spared = each;
  }
  if (spared == entries_.end()) return false;
  throw_out(*spared);
  const std::size_t before = entries_.size();
  return changed_.wait_for(lock, kGoing, [&] { return entries_.size() < before; });
}

void ConnectionTable::forget_socket(Place place) {
  const std::lock_guard lock(mutex_);
  place->socket = -1;
}

void ConnectionTable::leave(Place place) {
  const std::lock_guard lock(mutex_);
  if (place->phase == Phase::kNew) --new_;
  entries_.erase(place);
  changed_.notify_all();
}

bool ConnectionTable::move(Place place, Phase phase, Mono now) {
  const std::lock_guard lock(mutex_);
  if (place->thrown_out) return false;
  if (place->phase == Phase::kNew) --new_;
  if (phase == Phase::kIdle) place->waiting_since = now;
  if (phase == Phase::kHandling) place->served = true;
  place->phase = phase;
  changed_.notify_all();
  return true;
}

bool ConnectionTable::in_flight() const {
  return std::any_of(entries_.begin(), entries_.end(), [](const Entry& entry) {
    return !entry.thrown_out && entry.phase > Phase::kIdle && entry.phase != Phase::kLingering;
  });
}

void ConnectionTable::close_idle() {
  const std::lock_guard lock(mutex_);
  for (Entry& entry : entries_) {
    if (entry.phase <= Phase::kIdle) throw_out(entry);
  }
}

bool ConnectionTable::await_answers(Mono deadline) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, deadline, [&] { return !in_flight(); });
}

void ConnectionTable::close_all() {
  const std::lock_guard lock(mutex_);
  for (Entry& entry : entries_) throw_out(entry);
}

}  // namespace snapfreeze::edge
