// GET of collections: lists in pages, and watches.
#include <stdexcept>

#include "test/double/api/api.h"
#include "test/double/api/status.h"

namespace cluster {
namespace {

using namespace std::chrono_literals;

// How often an idle watch looks whether its reader is still there.
constexpr auto kReaderCheck = 5s;

Selector selector_of(const HttpRequest& request, const Route& route) {
  return Selector::parse(request.param("labelSelector"), request.param("fieldSelector"), route.resource == "events");
}

// The items of lists of built-in kinds come without kind and apiVersion.
std::string list_item(const ResourceType& type, const ObjectRef& object) {
  const bool built_in = type.group.empty() || type.group == "coordination.k8s.io" || type.group == "events.k8s.io" ||
                        type.group == "admissionregistration.k8s.io";
  if (!built_in) return object->text;
  Json bare = object->json;
  bare.erase("kind");
  bare.erase("apiVersion");
  return bare.dump();
}

std::string list_body(const ResourceType& type, const ListPage& page, bool count_remaining) {
  Json metadata = {{"resourceVersion", std::to_string(page.resource_version)}};
  if (!page.next.empty()) {
    metadata["continue"] = page.next;
    if (count_remaining) metadata["remainingItemCount"] = page.remaining;
  }
  std::string body = R"({"apiVersion":")" + type.api_version() + R"(","kind":")" + type.kind + R"(List","metadata":)" +
                     metadata.dump() + R"(,"items":[)";
  for (std::size_t i = 0; i < page.items.size(); ++i) {
    if (i != 0) body += ',';
    body += list_item(type, page.items[i]);
  }
  return body + "]}";
}

std::string bookmark(const ResourceType& type, std::uint64_t version) {
  return R"({"kind":")" + type.kind + R"(","apiVersion":")" + type.api_version() +
         R"(","metadata":{"resourceVersion":")" + std::to_string(version) + R"(","creationTimestamp":null}})";
}

std::string too_old(std::uint64_t wanted, std::uint64_t oldest) {
  return status_object(410, "Expired",
                       "too old resource version: " + std::to_string(wanted) + " (" + std::to_string(oldest) + ")")
      .dump();
}

// One watch, from its first line to its end.
class Watch {
 public:
  Watch(Runtime& runtime, Store& store, Faults& faults, const HttpRequest& request, const Route& route,
        Selector selector, Millis bookmark_interval)
      : runtime_(runtime),
        store_(store),
        faults_(faults),
        request_(request),
        type_(*route.type),
        ns_(route.ns),
        selector_(std::move(selector)),
        collection_("/" + type_.api_version() + "/" + type_.resource),
        bookmark_interval_(bookmark_interval),
        bookmarks_(request.param("allowWatchBookmarks") == "true") {
    const std::string timeout = request.param("timeoutSeconds");
    // As the real one does when the client does not say: half an hour to an hour.
    const Millis length = timeout.empty() ? runtime.random(Millis(1'800'000), Millis(3'600'000))
                                          : Millis(std::strtoll(timeout.c_str(), nullptr, 10) * 1000);
    began_ = runtime.now();
    end_ = began_ + length;
    bookmark_due_ = runtime.now() + bookmark_interval_;
  }

  void run(std::uint64_t from, bool initial, const ByteSink& sink) {
    std::vector<std::string> lines;
    {
      const Lock lock = runtime_.lock();
      expirations_ = store_.expirations();
      cursor_ = initial ? store_.version() : from;
      if (!initial && !store_.log(type_).reaches_back_to(from)) {
        lines.push_back(watch_line("ERROR", too_old(from, store_.version())));
        ended_ = true;
      } else if (initial) {
        for (const ObjectRef& object : store_.all(type_, ns_, selector_)) {
          lines.push_back(watch_line("ADDED", object->text));
        }
      }
    }
    while (send(lines, sink) && !ended_) {
      if (!sink("")) return;
      lines = next_lines();
    }
  }

 private:
  // Waits for something to say; nothing to say after a while is an empty batch.
  std::vector<std::string> next_lines() {
    std::vector<std::string> lines;
    Lock lock = runtime_.lock();
    const auto cut_off = [&] { return store_.expirations() != expirations_ || runtime_.now() < faults_.down_until(); };
    Mono until = std::min({runtime_.now() + kReaderCheck, end_, bookmark_due_});
    const WatchEvent* const held_back = next_event();
    if (held_back != nullptr) until = std::min(until, shows(*held_back));
    runtime_.wait_until(lock, store_.changed(type_), until, [&] {
      const WatchEvent* const event = next_event();
      return cut_off() || (event != nullptr && (held_back == nullptr || shows(*event) <= runtime_.now()));
    });
    if (store_.expirations() != expirations_) lines.push_back(watch_line("ERROR", too_old(cursor_, store_.version())));
    ended_ = cut_off();
    if (ended_) return lines;
    const WatchEvent* event = nullptr;
    while ((event = next_event()) != nullptr && shows(*event) <= runtime_.now()) {
      cursor_ = event->version;
      if (auto line = watch_line(*event, ns_, selector_)) lines.push_back(std::move(*line));
    }
    if (event == nullptr) cursor_ = std::max(cursor_, store_.version());
    ended_ = runtime_.now() >= end_;
    if (bookmarks_ && !is_silent() && (ended_ || runtime_.now() >= bookmark_due_)) {
      lines.push_back(watch_line("BOOKMARK", bookmark(type_, cursor_)));
    }
    if (runtime_.now() >= bookmark_due_) bookmark_due_ = runtime_.now() + bookmark_interval_;
    return lines;
  }

  const WatchEvent* next_event() const { return store_.log(type_).next_after(cursor_); }
  const Holdback* holdback() const { return faults_.holdback(request_.caller, collection_, began_, runtime_.now()); }
  bool is_silent() const {
    const Holdback* const held = holdback();
    return held != nullptr && !held->late_by;
  }
  Mono shows(const WatchEvent& event) const {
    const Holdback* const held = holdback();
    return held == nullptr ? event.at : held->shows(event.at);
  }

  // False when the watch is over: the reader is gone, or a fault cut it.
  bool send(const std::vector<std::string>& lines, const ByteSink& sink) {
    for (const std::string& line : lines) {
      std::optional<FaultKind> fault;
      {
        const Lock lock = runtime_.lock();
        fault = faults_.strike_line(request_.caller, request_.path);
      }
      if (fault == FaultKind::kCutWatch) {
        sink(line.substr(0, line.size() / 2));
        return false;
      }
      if (fault == FaultKind::kExpireWatch) {
        sink(watch_line("ERROR", too_old(cursor_, cursor_)) + "\n");
        return false;
      }
      if (fault == FaultKind::kSilentWatch) {
        return stay_silent(sink);
      }
      if (!sink(line + "\n")) return false;
    }
    return true;
  }

  // Until the reader gives up, or all faults are over. Always false.
  bool stay_silent(const ByteSink& sink) {
    const auto clearings = [this] {
      const Lock lock = runtime_.lock();
      return faults_.clearings();
    };
    const int before = clearings();
    while (sink("") && runtime_.now() < end_ && clearings() == before) runtime_.sleep_for(kReaderCheck);
    return false;
  }

  Runtime& runtime_;
  Store& store_;
  Faults& faults_;
  const HttpRequest request_;
  const ResourceType& type_;
  const std::string ns_;
  const Selector selector_;
  const std::string collection_;  // as faults name it
  const Millis bookmark_interval_;
  const bool bookmarks_;
  Mono began_{};
  Mono end_, bookmark_due_;
  std::uint64_t cursor_ = 0;
  std::uint64_t expirations_ = 0;
  bool ended_ = false;
};

}  // namespace

Reply Api::list(const HttpRequest& request, const Route& route) {
  try {
    const Selector selector = selector_of(request, route);
    const std::string limit = request.param("limit");
    const std::string token = request.param("continue");
    const std::string match = request.param("resourceVersionMatch");
    if (!match.empty() && !token.empty()) {
      return invalid(*route.type, "",
                     {"resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for continue"});
    }
    std::optional<std::uint64_t> as_of;
    if (match == "Exact") as_of = std::strtoull(request.param("resourceVersion").c_str(), nullptr, 10);
    std::variant<ListPage, Reply> result;
    {
      const Lock lock = runtime_.lock();
      result = store_.list(*route.type, route.ns, selector, std::strtoull(limit.c_str(), nullptr, 10), token, as_of);
    }
    if (const Reply* refusal = std::get_if<Reply>(&result)) return *refusal;
    return json_reply(200, list_body(*route.type, std::get<ListPage>(result), selector.empty()));
  } catch (const std::invalid_argument& error) {
    return bad_request(error.what());
  }
}

Reply Api::watch(const HttpRequest& request, const Route& route) {
  const std::string from = request.param("resourceVersion");
  if (from.find_first_not_of("0123456789") != std::string::npos) {
    return bad_request("resourceVersion: Invalid value: \"" + from + "\": invalid");
  }
  if (request.param("sendInitialEvents") == "true") {
    return invalid(*route.type, "",
                   {"sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the "
                    "WatchList feature gate is enabled"});
  }
  const std::uint64_t version = std::strtoull(from.c_str(), nullptr, 10);
  {
    const Lock lock = runtime_.lock();
    if (version > store_.version()) {
      return refuse(504, "Timeout",
                    "Timeout: Too large resource version: " + from + ", current: " + std::to_string(store_.version()));
    }
  }
  try {
    const auto open = std::make_shared<Watch>(runtime_, store_, faults_, request, route, selector_of(request, route),
                                              bookmark_interval_.load());
    Reply reply;
    reply.headers["Content-Type"] = "application/json";
    reply.stream = [open, version](const ByteSink& sink) { open->run(version, version == 0, sink); };
    return reply;
  } catch (const std::invalid_argument& error) {
    return bad_request(error.what());
  }
}

}  // namespace cluster
