#include "test/double/api/watch_log.h"

#include <algorithm>
#include <stdexcept>

namespace cluster {

std::string watch_line(std::string_view type, std::string_view object_text) {
  std::string line;
  line.reserve(object_text.size() + type.size() + 24);
  line.append(R"({"type":")").append(type).append(R"(","object":)").append(object_text).append("}");
  return line;
}

std::optional<std::string> watch_line(const WatchEvent& event, const std::string& ns, const Selector& selector) {
  if (!ns.empty() && event.object->json["metadata"].value("namespace", "") != ns) return std::nullopt;
  const bool matched = event.before != nullptr && selector.matches(event.before->json);
  const bool matches = event.type != EventType::kDeleted && selector.matches(event.object->json);
  if (!matched && !matches) return std::nullopt;
  const char* type = matched && matches ? "MODIFIED" : matches ? "ADDED" : "DELETED";
  return watch_line(type, event.object->text);
}

void WatchLog::append(WatchEvent event) {
  events_.push_back(std::move(event));
  if (events_.size() > kMaxEvents) {
    floor_ = events_.front().version;
    floor_at_ = events_.front().at;
    events_.pop_front();
  }
}

void WatchLog::compact(std::uint64_t version) {
  floor_ = std::max(floor_, version);
  for (; !events_.empty() && events_.front().version <= version; events_.pop_front()) floor_at_ = events_.front().at;
}

std::vector<WatchEvent> WatchLog::rewind(Mono when) {
  if (when < floor_at_) throw std::out_of_range("history was compacted since then");
  std::vector<WatchEvent> undone;
  for (; !events_.empty() && events_.back().at > when; events_.pop_back()) undone.push_back(std::move(events_.back()));
  return undone;
}

const WatchEvent* WatchLog::next_after(std::uint64_t version) const {
  const auto next = std::upper_bound(events_.begin(), events_.end(), version,
                                     [](std::uint64_t v, const WatchEvent& event) { return v < event.version; });
  return next == events_.end() ? nullptr : &*next;
}

}  // namespace cluster
