#include "sweeper/world/captures.h"

#include <iterator>
#include <utility>

#include "base/hash.h"

namespace snapfreeze::sweeper {
namespace {

int hex_digit(char character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  return -1;
}

std::uint8_t bit(Captures::Source source) {
  return static_cast<std::uint8_t>(source);
}

}  // namespace

// A UUID in its canonical form becomes its 16 bytes, so that no two are mistaken for one. The API server writes no
// other uids; any other text is hashed to the same length.
Captures::Key Captures::key_of(std::string_view uid) {
  constexpr std::size_t kLength = 36;
  Key key{};
  std::size_t digits = 0;
  bool canonical = uid.size() == kLength;
  for (std::size_t i = 0; canonical && i < uid.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const int digit = hex_digit(uid[i]);
    canonical = dash ? uid[i] == '-' : digit >= 0;
    if (canonical && !dash) {
      key[digits / 16] = key[digits / 16] << 4 | static_cast<std::uint64_t>(digit);
      ++digits;
    }
  }
  if (canonical) return key;
  constexpr std::uint64_t kOtherStart = 0x9E3779B97F4A7C15ULL;
  return {fnv1a(uid), fnv1a(uid, kOtherStart)};
}

bool Captures::Told::first(std::uint8_t source) {
  named |= source;
  return std::exchange(by, static_cast<std::uint8_t>(by | source)) == 0;
}

bool Captures::note(Source source, std::string_view snapshot_uid, Observed now, std::optional<Wall> cut) {
  if (snapshot_uid.empty()) return false;
  const Key key = key_of(snapshot_uid);
  Entry& entry = entries_[key];
  const bool compared = compare(source, key, cut);
  const bool first = entry.capture.first(bit(source));
  if (first) {
    entry.captured = now;
    entry.first = source;
  }
  return first || compared;
}

// Whether it tells more of a live cut than was known.
bool Captures::compare(Source source, const Key& key, std::optional<Wall> cut) {
  const auto found = live_.find(key);
  if (found == live_.end() || !cut) return false;
  Live& live = found->second;
  const bool same = std::chrono::floor<std::chrono::seconds>(*cut) == live.said.cut;
  std::uint8_t& told = same ? live.same : live.other;
  std::uint8_t& not_told = same ? live.other : live.same;
  not_told &= static_cast<std::uint8_t>(~bit(source));
  return (std::exchange(told, static_cast<std::uint8_t>(told | bit(source))) & bit(source)) == 0;
}

bool Captures::note_live(std::string_view snapshot_uid, const LiveCut& live) {
  if (snapshot_uid.empty() || find(snapshot_uid)) return false;
  return live_.try_emplace(key_of(snapshot_uid), Live{live, 0, 0}).second;
}

void Captures::forget_live(std::string_view snapshot_uid) {
  live_.erase(key_of(snapshot_uid));
}

std::optional<LiveCut> Captures::live(std::string_view snapshot_uid) const {
  const auto found = live_.find(key_of(snapshot_uid));
  return found == live_.end() ? std::nullopt : std::optional<LiveCut>(found->second.said);
}

Confirmed Captures::confirmed(std::string_view snapshot_uid) const {
  const Key key = key_of(snapshot_uid);
  const auto live = live_.find(key);
  const auto entry = entries_.find(key);
  if (live == live_.end() || entry == entries_.end()) return Confirmed::kNotYet;
  const std::uint8_t say_so = entry->second.capture.by;
  if ((live->second.same & say_so) != 0) return Confirmed::kYes;
  return (live->second.other & say_so) != 0 ? Confirmed::kNo : Confirmed::kNotYet;
}

Captures::Source Captures::first_source(std::string_view snapshot_uid) const {
  const auto found = entries_.find(key_of(snapshot_uid));
  return found == entries_.end() ? Source::kSnapshot : found->second.first;
}

bool Captures::note_failure(Source source, std::string_view snapshot_uid, Mono now) {
  if (snapshot_uid.empty()) return false;
  Entry& entry = entries_[key_of(snapshot_uid)];
  const bool first = entry.failure.first(bit(source));
  if (first) entry.failed = now;
  return first;
}

void Captures::take_back(std::string_view snapshot_uid, std::uint8_t of_capture, std::uint8_t of_failure) {
  const auto found = entries_.find(key_of(snapshot_uid));
  if (found == entries_.end()) return;
  found->second.capture.by &= static_cast<std::uint8_t>(~of_capture);
  found->second.failure.by &= static_cast<std::uint8_t>(~of_failure);
  if (found->second.empty()) entries_.erase(found);
}

void Captures::retract(Source source, std::string_view snapshot_uid) {
  take_back(snapshot_uid, bit(source), 0);
}

bool Captures::retract_failure(Source source, std::string_view snapshot_uid) {
  const auto found = entries_.find(key_of(snapshot_uid));
  if (found == entries_.end() || (found->second.failure.by & bit(source)) == 0) return false;
  take_back(snapshot_uid, 0, bit(source));
  return !failed_since(snapshot_uid);
}

void Captures::forget(Source source, std::string_view snapshot_uid) {
  take_back(snapshot_uid, bit(source), bit(source));
}

void Captures::relist_started(Source source) {
  for (auto& [key, entry] : entries_) {
    for (Told* told : {&entry.capture, &entry.failure}) told->named &= static_cast<std::uint8_t>(~bit(source));
  }
}

void Captures::relist_done(Source source) {
  for (auto item = entries_.begin(); item != entries_.end();) {
    Entry& entry = item->second;
    for (Told* told : {&entry.capture, &entry.failure}) {
      if ((told->named & bit(source)) == 0) told->by &= static_cast<std::uint8_t>(~bit(source));
    }
    item = entry.empty() ? entries_.erase(item) : std::next(item);
  }
}

std::optional<Observed> Captures::find(std::string_view snapshot_uid) const {
  const auto found = entries_.find(key_of(snapshot_uid));
  if (found == entries_.end() || found->second.capture.by == 0) return std::nullopt;
  return found->second.captured;
}

std::optional<Mono> Captures::failed_since(std::string_view snapshot_uid) const {
  const auto found = entries_.find(key_of(snapshot_uid));
  if (found == entries_.end() || found->second.failure.by == 0) return std::nullopt;
  return found->second.failed;
}

}  // namespace snapfreeze::sweeper
