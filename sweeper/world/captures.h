// When each snapshot's capture was first observed. All captures in the cluster are kept, also of snapshots that are not
// ours (or not yet known to be), so that the order in which events come does not matter: the content's may come before
// the snapshot's own. An entry takes about 70 bytes, 10,000 of them less than 1 MB.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"

namespace snapfreeze::sweeper {

// A moment on both clocks: ours, and the API server's as it can be at most. Wall::max(): not known.
struct Observed {
  Mono at{};
  Wall bound = Wall::max();
};

class Captures {
 public:
  // The three who say it, each by a watch of its own.
  enum class Source : std::uint8_t { kSnapshot = 1, kContent = 2, kLonghorn = 4 };

  // Whether it is news.
  bool note(Source source, std::string_view snapshot_uid, Observed now);
  // The source's object is gone, or says so no more. When no source is left the capture is forgotten.
  void forget(Source source, std::string_view snapshot_uid);

  // What a source did not note between these two is forgotten.
  void relist_started(Source source);
  void relist_done(Source source);

  [[nodiscard]] std::optional<Observed> find(std::string_view snapshot_uid) const;
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  using Key = std::array<std::uint64_t, 2>;
  struct Hash {
    std::size_t operator()(const Key& key) const noexcept { return key[0] ^ key[1]; }
  };
  struct Entry {
    Observed first;
    std::uint8_t sources = 0;
    std::uint8_t named = 0;  // by the sources that are being listed again
  };
  static Key key_of(std::string_view uid);

  std::unordered_map<Key, Entry, Hash> entries_;
};

}  // namespace snapfreeze::sweeper
