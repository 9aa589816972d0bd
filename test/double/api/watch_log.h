// The recent changes of one kind, for watches to resume from.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "test/double/api/http.h"
#include "test/double/api/selectors.h"
#include "test/double/runtime/runtime.h"

namespace cluster {

// An object as stored, immutable, with its JSON text made once.
struct StoredObject {
  Json json;
  std::string text;
  std::uint64_t version = 0;
};
using ObjectRef = std::shared_ptr<const StoredObject>;

enum class EventType { kAdded, kModified, kDeleted };

struct WatchEvent {
  EventType type = EventType::kAdded;
  std::uint64_t version = 0;
  Mono at{};
  ObjectRef object;  // as it is now; for a deletion as it last was, with the deletion's version
  ObjectRef before;  // nullptr when added
};

// The line of a watch for this event as seen through a selector (and one namespace, unless empty): an object that
// begins or ceases to match is added or deleted. nullopt: not to be seen.
std::optional<std::string> watch_line(const WatchEvent& event, const std::string& ns, const Selector& selector);
std::string watch_line(std::string_view type, std::string_view object_text);

class WatchLog {
 public:
  void append(WatchEvent event);
  // Events after `version` are kept from here on; older ones are forgotten.
  void compact(std::uint64_t version);
  // Can a watch resume after `version`?
  [[nodiscard]] bool reaches_back_to(std::uint64_t version) const { return version >= floor_; }
  // Takes out what happened after `when`, newest first; throws std::out_of_range when it does not reach back so far.
  std::vector<WatchEvent> rewind(Mono when);
  // Oldest first.
  [[nodiscard]] const std::deque<WatchEvent>& events() const { return events_; }
  // The first event newer than `version`; nullptr when there is none.
  [[nodiscard]] const WatchEvent* next_after(std::uint64_t version) const;

 private:
  // etcd keeps five minutes; a busy double keeps this many changes a kind.
  static constexpr std::size_t kMaxEvents = 100'000;
  std::deque<WatchEvent> events_;
  std::uint64_t floor_ = 0;
  Mono floor_at_{};  // when the last forgotten event happened
};

}  // namespace cluster
