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

}  // namespace

void ConnectionTable::throw_out(Entry& entry) {
  if (!entry.over) ::shutdown(entry.socket, SHUT_RDWR);
  entry.over = true;
}

std::optional<ConnectionTable::Place> ConnectionTable::enter(int socket, Mono now) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kGoing, [&] { return new_ < most_new_; });
  if (static_cast<int>(entries_.size()) >= most_ && !throw_out_one(lock)) return std::nullopt;
  ++new_;
  return entries_.insert(entries_.end(), Entry{socket, now});
}

bool ConnectionTable::make_room() {
  std::unique_lock lock(mutex_);
  return throw_out_one(lock);
}

bool ConnectionTable::throw_out_one(std::unique_lock<std::mutex>& lock) {
  auto spared = entries_.end();
  for (auto each = entries_.begin(); each != entries_.end(); ++each) {
    if (each->over || each->phase >= Phase::kHandling) continue;
    if (spared == entries_.end() || worth(*each) < worth(*spared)) spared = each;
  }
  if (spared == entries_.end()) return false;
  throw_out(*spared);
  const std::size_t before = entries_.size();
  return changed_.wait_for(lock, kGoing, [&] { return entries_.size() < before; });
}

void ConnectionTable::forget_socket(Place place) {
  const std::lock_guard lock(mutex_);
  place->over = true;
}

void ConnectionTable::leave(Place place) {
  const std::lock_guard lock(mutex_);
  if (place->phase == Phase::kNew) --new_;
  entries_.erase(place);
  changed_.notify_all();
}

bool ConnectionTable::move(Place place, Phase phase, Mono now) {
  const std::lock_guard lock(mutex_);
  if (place->over) return false;
  if (place->phase == Phase::kNew) --new_;
  if (phase == Phase::kIdle) place->waiting_since = now;
  if (phase == Phase::kHandling) place->served = true;
  place->phase = phase;
  changed_.notify_all();
  return true;
}

bool ConnectionTable::end(Mono deadline) {
  std::unique_lock lock(mutex_);
  for (Entry& entry : entries_) {
    if (entry.phase <= Phase::kIdle) throw_out(entry);
  }
  const bool answered = changed_.wait_until(lock, deadline, [&] {
    return std::ranges::all_of(entries_,
                               [](const Entry& entry) { return entry.over || entry.phase < Phase::kReading; });
  });
  std::ranges::for_each(entries_, throw_out);
  return answered;
}

}  // namespace snapfreeze::edge
