#include "kube/replay.h"

#include <cstdint>
#include <optional>

#include "base/number.h"
#include "kube/paths.h"
#include "kube/rest.h"
#include "kube/watch_event.h"

namespace snapfreeze::kube {
namespace {

// Reads the lines of the watch until it has caught up.
class Reading {
 public:
  Reading(const Clock& clock, const std::string& until, const std::function<void(const Json&)>& object)
      : clock_(clock), end_(clock.monotonic() + kLongestReplay), until_(until), object_(object) {}

  // Whether to read on.
  bool take(std::string_view line) {
    const auto event = WatchEvent::parse(line);
    if (!event) return fail(event.error());
    if (event->kind() != WatchEvent::Kind::kBookmark) object_(event->object());
    reached_ = event->version();
    if (is_not_after(until_, event->version())) return false;
    return clock_.monotonic() < end_ || fail({Code::kTransient, "the replay takes too long", 0});
  }

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  [[nodiscard]] const std::string& reached() const { return reached_; }

 private:
  bool fail(Error error) {
    error_ = std::move(error);
    return false;
  }

  const Clock& clock_;
  const Mono end_;
  const std::string& until_;
  const std::function<void(const Json&)>& object_;
  std::optional<Error> error_;
  std::string reached_;
};

}  // namespace

bool is_not_after(const std::string& version, const std::string& other) {
  const auto first = whole_number<std::uint64_t>(version);
  const auto second = whole_number<std::uint64_t>(other);
  return first && second && *first <= *second;
}

Result<void> replay(KubeApi& api, const Clock& clock, const Replay& replay,
                    const std::function<void(const Json&)>& object) {
  if (!is_not_after(replay.since, replay.until)) {
    return Error{Code::kTransient, "the list is older than version " + replay.since, 0};
  }
  if (replay.since == replay.until) return {};
  Reading reading(clock, replay.until, object);
  const int seconds = static_cast<int>(kLongestReplay / std::chrono::seconds(1));
  const Request request = get_request(replay.collection + "?watch=true&allowWatchBookmarks=true&resourceVersion=" +
                                      percent_encode(replay.since) + "&timeoutSeconds=" + std::to_string(seconds));
  auto end = api.stream(request, kReplayQuiet, [&](std::string_view line) { return reading.take(line); });
  if (reading.error()) return *reading.error();
  // A watch that lags is as silent as one that has nothing to say.
  const bool later = replay.newest != replay.until && is_not_after(replay.until, replay.newest);
  const bool due = !replay.newest.empty() && !later && !is_not_after(replay.newest, replay.since);
  if (end && due && !is_not_after(replay.newest, reading.reached())) {
    return Error{Code::kTransient, "the watch is silent before version " + replay.newest, 0};
  }
  return end;
}

}  // namespace snapfreeze::kube
