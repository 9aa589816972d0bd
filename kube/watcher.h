// Lists and watches one resource, as one explicit state machine. It says which request comes next, and takes the
// result. It makes no call and reads no clock, so that a test needs one line for anything that a server may do.
//
//            +--- 410, ERROR event, refusal, no event ---+
//            v                                           |
//   listing page N --last page--> watching from resourceVersion --end, silence--> watching again
//
// A stream that showed no event, bookmarks included, is not resumed. After etcd was restored to an old state, the
// server still accepts a version that its own have yet to reach, and hides every event until they do, for hours.
//
// After each failure it waits, with a backoff of 100 ms to 30 s and jitter, which starts anew after progress: a list to
// its end, an event, a stream that lasts. While the server is away, or fails itself (5xx), the backoff ends at 2 s,
// because a guest may be held until we see again. Such failures are counted apart: a server that comes back may end its
// first streams at once, and must not be left alone for long because it was away. Rests on the API concepts "efficient
// detection of changes", "chunks" and "bookmarks" of the Kubernetes documentation.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "kube/api.h"
#include "kube/list.h"

namespace snapfreeze::kube {

// What a watcher learns. Called from the thread that drives the watcher, in this order:
//   relist_started, applied*, relist_done, (added | applied | deleted)*, relist_started, ...
// Between relist_started and relist_done, every object that exists is named. An object that was not named is gone. A
// relist may start anew before it is done.
class WatchSink {
 public:
  virtual ~WatchSink() = default;

  virtual void added(const Json& object) = 0;    // has just come into being, or under the label selector
  virtual void applied(const Json& object) = 0;  // exists, perhaps unchanged
  virtual void deleted(const Json& object) = 0;  // its last state, or the one that left the label selector
  virtual void relist_started() = 0;
  virtual void relist_done() = 0;

  // The API does not serve the kind (404), so there are no such objects. Reported once; asked again every 60 s.
  virtual void not_served() = 0;

  // Reported once when a problem begins or changes, and when it has ended.
  virtual void trouble(const Error& error) = 0;
  virtual void recovered() = 0;
};

// Not thread-safe.
class Watcher {
 public:
  static constexpr Millis kMinBackoff{100};
  static constexpr Millis kMaxBackoff{30'000};
  static constexpr Millis kMaxBackoffAway{2'000};
  static constexpr Millis kNotServedWait{60'000};
  // Bookmarks come about every minute, so a live server is never silent for longer.
  static constexpr Millis kIdle{75'000};
  static constexpr Millis kListTimeout{30'000};
  static constexpr Millis kWatchHeaderTimeout{10'000};

  struct Options {
    std::string collection;      // path, from collection_path()
    std::string label_selector;  // "" selects all
    // Never resumes a watch, but lists anew after each, whatever ended it and whatever it showed. A watch that resumes
    // in an etcd that was restored meanwhile misses what was written with a version that it believes to know, and goes
    // on to name objects that are gone. For small collections.
    bool always_lists = false;
  };

  struct Step {
    enum class Kind { kList, kWatch, kWait };
    Kind kind = Kind::kWait;
    Request request;  // of kList and kWatch
    Mono until{};     // of kWait
  };

  // `jitter` gives numbers in [0, 1).
  using Jitter = std::function<double()>;
  static Jitter random_jitter();

  // The sink outlives the watcher.
  Watcher(Options options, WatchSink& sink, Jitter jitter = random_jitter());

  [[nodiscard]] Step next(Mono now);

  // The result of a kList.
  void on_list(const Result<Response>& reply, Mono now);

  // The result of a kWatch: each line (returns false when the stream is of no more use), then its end. Silence counts
  // as an ordinary end.
  [[nodiscard]] bool on_line(std::string_view line);
  void on_end(const Result<void>& end, Mono now);

 private:
  struct Backoff {
    int failures_away = 0;
    int failures_there = 0;
    Millis next(bool away, const Jitter& jitter);
  };
  enum class State { kListing, kWatching };

  void take_page(const Json& list, Mono now);
  void list_failed(const Error& error, Mono now);
  void begin_list();
  void watch_healthy();
  void say_trouble(const Error& error, State where);
  void say_recovered();

  Options options_;
  WatchSink& sink_;
  Jitter jitter_;

  State state_ = State::kListing;
  std::string continue_;          // of the next page; "" before the first
  int limit_ = kListPage;         // objects in the next page
  std::string resource_version_;  // up to which everything is known
  std::optional<Mono> retry_at_;
  // Kept apart. Otherwise a list that succeeds would restart the backoff of a watch that always fails.
  Backoff list_backoff_;
  Backoff watch_backoff_;
  Mono watch_began_{};
  bool any_event_ = false;             // in the running stream, bookmarks included
  std::optional<Error> stream_error_;  // found in a line of the running stream

  bool not_served_ = false;       // said
  std::optional<Error> trouble_;  // said
  State trouble_in_ = State::kListing;
};

// Drives the watcher until the clock says stop or the API says kCancelled. A running stream ends only when the KubeApi
// ends it (HttpsClient::stop_streams).
void run_watch(KubeApi& api, Clock& clock, Watcher& watcher);

}  // namespace snapfreeze::kube
