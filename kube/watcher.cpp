#include "kube/watcher.h"

#include <algorithm>
#include <random>
#include <utility>

#include "kube/paths.h"
#include "kube/rest.h"
#include "kube/watch_event.h"

namespace snapfreeze::kube {
namespace {

// A stream that lived this long was accepted and is worth resuming at once.
constexpr Millis kHealthyStream{1000};

// When the server itself ends a watch, spread so that watches that began together do not resume together.
constexpr int kMinWatchSeconds = 300;

// The server answered, and says nothing about what was asked.
bool is_busy(const Error& error) {
  return error.http_status == 429 || error.http_status == 503;
}

// Whether the position in the list or the watch is useless: the server answered, and was not merely busy.
bool must_relist(const Error& error) {
  return error.http_status != 0 && !is_busy(error);
}

std::string list_target(const Watcher::Options& options, const std::string& continue_token, int limit) {
  std::string target = options.collection + "?limit=" + std::to_string(limit);
  if (!options.label_selector.empty()) target += "&labelSelector=" + percent_encode(options.label_selector);
  if (!continue_token.empty()) target += "&continue=" + percent_encode(continue_token);
  return target;
}

std::string watch_target(const Watcher::Options& options, const std::string& resource_version, int seconds) {
  std::string target = options.collection +
                       "?watch=true&allowWatchBookmarks=true&resourceVersion=" + percent_encode(resource_version) +
                       "&timeoutSeconds=" + std::to_string(seconds);
  if (!options.label_selector.empty()) target += "&labelSelector=" + percent_encode(options.label_selector);
  return target;
}

// No server answers, or it does so without its storage.
bool is_away(const Error& error) {
  constexpr int kServerErrors = 500;
  return error.http_status == 0 || error.http_status >= kServerErrors;
}

}  // namespace

Watcher::Jitter Watcher::random_jitter() {
  return [engine = std::minstd_rand(std::random_device{}())]() mutable {
    return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
  };
}

Watcher::Watcher(Options options, WatchSink& sink, Jitter jitter)
    : options_(std::move(options)), sink_(sink), jitter_(std::move(jitter)) {}

Millis Watcher::Backoff::next(bool away, const Jitter& jitter) {
  const Millis longest = away ? kMaxBackoffAway : kMaxBackoff;
  int& failures = away ? failures_away : failures_there;
  // 2^9 * 100 ms is past the maximum.
  const Millis ceiling = std::min(longest, kMinBackoff * (2 << std::min(failures, 9)));
  ++failures;
  return ceiling / 2 + Millis(static_cast<Millis::rep>(static_cast<double>((ceiling / 2).count()) * jitter()));
}

Watcher::Step Watcher::next(Mono now) {
  if (retry_at_ && now < *retry_at_) return {Step::Kind::kWait, {}, *retry_at_};
  retry_at_.reset();
  if (state_ == State::kListing) {
    return {Step::Kind::kList, get_request(list_target(options_, continue_, limit_), kListTimeout), {}};
  }
  watch_began_ = now;
  any_event_ = false;
  stream_error_.reset();
  const int seconds = kMinWatchSeconds + static_cast<int>(kMinWatchSeconds * jitter_());
  return {Step::Kind::kWatch, get_request(watch_target(options_, resource_version_, seconds), kWatchHeaderTimeout), {}};
}

void Watcher::on_list(const Result<Response>& reply, Mono now) {
  const Result<Json> list = object_of(reply);
  if (!list.ok()) {
    if (ask_for_fewer(list.error(), limit_)) return;
    return list_failed(list.error(), now);
  }
  take_page(list.value(), now);
}

void Watcher::take_page(const Json& list, Mono now) {
  const Json& items = list["items"];
  const std::string& next_page = list["metadata"]["continue"].string();
  const std::string& version = list["metadata"]["resourceVersion"].string();
  // Go writes an empty list as null.
  if (!(items.is_array() || items.is_null()) || (next_page.empty() && version.empty())) {
    return list_failed({Code::kTransient, "the reply is not a list with a resourceVersion", 200}, now);
  }
  not_served_ = false;
  const bool last = next_page.empty();
  // Only here: the first pages of a list that never comes to its end are no progress.
  if (last) list_backoff_ = {};
  if (last && trouble_in_ == State::kListing) say_recovered();
  if (continue_.empty()) sink_.relist_started();
  for (const Json& item : items.items()) sink_.applied(item);
  continue_ = next_page;
  if (!last) return;
  limit_ = kListPage;
  resource_version_ = version;
  state_ = State::kWatching;
  sink_.relist_done();
}

void Watcher::list_failed(const Error& error, Mono now) {
  if (error.code == Code::kCancelled) return;
  if (error.code == Code::kNotFound) {
    begin_list();
    retry_at_ = now + kNotServedWait;
    say_recovered();  // the server speaks, and there is nothing to watch
    if (!std::exchange(not_served_, true)) sink_.not_served();
    return;
  }
  retry_at_ = now + list_backoff_.next(is_away(error), jitter_);
  // A long list may outlive its own token. That is not a problem: it begins anew.
  const bool token_expired = error.code == Code::kGone && !continue_.empty();
  // The token may be what the server cannot answer, such as one of a version that it does not know after a restore.
  if (must_relist(error)) begin_list();
  if (!token_expired) say_trouble(error, State::kListing);
}

void Watcher::begin_list() {
  state_ = State::kListing;
  continue_.clear();
  limit_ = kListPage;
}

bool Watcher::on_line(std::string_view line) {
  const Result<WatchEvent> event = WatchEvent::parse(line);
  if (!event) {
    stream_error_ = event.error();
    return false;
  }
  switch (event->kind()) {
    case WatchEvent::Kind::kAdded:
      sink_.added(event->object());
      break;
    case WatchEvent::Kind::kModified:
      sink_.applied(event->object());
      break;
    case WatchEvent::Kind::kDeleted:
      sink_.deleted(event->object());
      break;
    case WatchEvent::Kind::kBookmark:
      break;
  }
  any_event_ = true;
  resource_version_ = event->version();
  watch_healthy();
  return true;
}

void Watcher::on_end(const Result<void>& end, Mono now) {
  std::optional<Error> error = std::exchange(stream_error_, std::nullopt);
  if (!error && !end.ok() && end.error().code == Code::kCancelled) return;
  // Without an event it may have waited for its header all the time, and what follows is a list.
  const bool lived = now - watch_began_ >= (any_event_ ? kHealthyStream : kWatchHeaderTimeout + kHealthyStream);
  const bool away = !error && !end.ok() && is_away(end.error());
  if (!error && !end.ok()) {
    // Servers and balancers cut long streams. That is a problem only if the stream cannot be resumed.
    if (end.error().http_status != 0 || !lived) error = end.error();
  }
  const bool blind = !any_event_ && !(error && is_busy(*error));
  if (options_.always_lists || blind || (error && must_relist(*error))) begin_list();
  if (!error) {
    if (lived) {
      watch_healthy();
    } else {
      retry_at_ = now + watch_backoff_.next(false, jitter_);
    }
    return;
  }
  retry_at_ = now + watch_backoff_.next(away, jitter_);
  if (error->code != Code::kGone) say_trouble(*error, State::kWatching);
}

void Watcher::watch_healthy() {
  watch_backoff_ = {};
  say_recovered();
}

void Watcher::say_trouble(const Error& error, State where) {
  trouble_in_ = where;
  if (trouble_ && trouble_->http_status == error.http_status && trouble_->message == error.message) return;
  trouble_ = error;
  sink_.trouble(error);
}

void Watcher::say_recovered() {
  if (!trouble_) return;
  trouble_.reset();
  sink_.recovered();
}

void run_watch(KubeApi& api, Clock& clock, Watcher& watcher) {
  while (clock.wait(Millis(0))) {
    const Watcher::Step step = watcher.next(clock.monotonic());
    switch (step.kind) {
      case Watcher::Step::Kind::kWait:
        clock.wait_until(step.until);
        break;
      case Watcher::Step::Kind::kList:
        watcher.on_list(api.call(step.request), clock.monotonic());
        break;
      case Watcher::Step::Kind::kWatch: {
        const Result<void> end =
            api.stream(step.request, Watcher::kIdle, [&](std::string_view line) { return watcher.on_line(line); });
        if (!end.ok() && end.error().code == Code::kCancelled) return;
        watcher.on_end(end, clock.monotonic());
        break;
      }
    }
  }
}

}  // namespace snapfreeze::kube
