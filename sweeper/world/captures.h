// When each snapshot's capture was first observed, and when its driver was first heard to fail. All captures in the
// cluster are kept, also of snapshots that are not ours (or not yet known to be), so that the order in which events
// come does not matter: the content's may come before the snapshot's own. An entry takes about 80 bytes, 10,000 of them
// less than 1 MB.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "kube/server_time.h"

namespace snapfreeze::sweeper {

// A moment on both clocks: ours, and the API server's as it can be at most. Wall::max(): not known.
struct Observed {
  Mono at{};
  Wall bound = Wall::max();
  Wall if_not_set_back = Wall::min();  // likewise, if nobody has set that clock back just before

  // For the age of what that server has stamped.
  [[nodiscard]] Wall for_age(Wall stamped) const {
    return bound == Wall::max() ? bound : kube::ServerTime::bound_for_age(bound, if_not_set_back, stamped);
  }
};

// What Longhorn's REST API said about a snapshot while the guest was held. Anyone may answer there, so the answer is
// enough to thaw, but it proves nothing until an object of the Kubernetes API reports the same cut: one with the same
// time, to the second. The engine takes that time once, under the lock that keeps the guest's writes away, and all of
// Longhorn repeats it.
struct LiveCut {
  Observed seen;
  Wall cut{};  // by the storage's clock
};
enum class Confirmed { kNotYet, kYes, kNo };

class Captures {
 public:
  // The three kinds of objects that report a capture; each has a watch of its own.
  enum class Source : std::uint8_t { kSnapshot = 1, kContent = 2, kLonghorn = 4 };

  // Whether it is news. `cut`: when it was captured, by the storage's clock, if the source says so.
  bool note(Source source, std::string_view snapshot_uid, Observed now, std::optional<Wall> cut = {});
  // Whether it is news: neither was it said before, nor by any source.
  bool note_live(std::string_view snapshot_uid, const LiveCut& live);
  void forget_live(std::string_view snapshot_uid);
  // An error is interim, as the driver is asked again. It counts until its source takes it back.
  bool note_failure(Source source, std::string_view snapshot_uid, Mono now);
  // Whether it is news.
  bool retract_failure(Source source, std::string_view snapshot_uid);
  // The source does not say (any more) that it was captured. When no source is left the capture is forgotten.
  void retract(Source source, std::string_view snapshot_uid);
  // The source's object is gone.
  void forget(Source source, std::string_view snapshot_uid);

  // What a source did not note between these two is forgotten.
  void relist_started(Source source);
  void relist_done(Source source);

  [[nodiscard]] std::optional<Observed> find(std::string_view snapshot_uid) const;
  // Which source said it first, of those that have ever said it; only where find() has something.
  [[nodiscard]] Source first_source(std::string_view snapshot_uid) const;
  [[nodiscard]] std::optional<LiveCut> live(std::string_view snapshot_uid) const;
  // By any source that says now that it was captured; no: one says another time, and none the same.
  [[nodiscard]] Confirmed confirmed(std::string_view snapshot_uid) const;
  [[nodiscard]] std::optional<Mono> failed_since(std::string_view snapshot_uid) const;
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  using Key = std::array<std::uint64_t, 2>;
  struct Hash {
    std::size_t operator()(const Key& key) const noexcept { return key[0] ^ key[1]; }
  };
  // Which of the sources say so, and which of those that are being listed again have said so since.
  struct Told {
    std::uint8_t by = 0;
    std::uint8_t named = 0;

    bool first(std::uint8_t source);
  };
  struct Entry {
    Observed captured;
    Mono failed{};
    Told capture;
    Told failure;
    Source first = Source::kSnapshot;

    [[nodiscard]] bool empty() const { return capture.by == 0 && failure.by == 0; }
  };
  struct Live {
    LiveCut said;
    std::uint8_t same = 0;  // the sources that have told of this cut, and of another one
    std::uint8_t other = 0;
  };
  bool compare(Source source, const Key& key, std::optional<Wall> cut);
  using Entries = std::unordered_map<Key, Entry, Hash>;
  static Key key_of(std::string_view uid);
  void take_back(std::string_view snapshot_uid, std::uint8_t of_capture, std::uint8_t of_failure);

  Entries entries_;
  std::unordered_map<Key, Live, Hash> live_;  // of the snapshots of sessions that hold, or held, a guest
};

}  // namespace snapfreeze::sweeper
