#include "kube/watch_event.h"

#include <utility>

#include "kube/rest.h"

namespace snapfreeze::kube {

Result<WatchEvent> WatchEvent::parse(std::string_view line) {
  constexpr int kUnknownFailure = 500;
  Result<Json> json = Json::parse(line, Json::Prune::kUnread);
  if (!json) return Error{Code::kTransient, "a line of the watch is no event: " + json.error().message};
  WatchEvent event;
  event.line_ = std::move(*json);
  const std::string& type = event.line_["type"].string();
  if (type == "ERROR") {
    const auto status = event.object()["code"].integer().value_or(kUnknownFailure);
    return error_of(static_cast<int>(status), event.object().dump());
  }
  if (event.version().empty()) return Error{Code::kTransient, "an event of the watch has no resourceVersion"};
  if (type == "ADDED") {
    event.kind_ = Kind::kAdded;
  } else if (type == "DELETED") {
    event.kind_ = Kind::kDeleted;
  } else if (type == "BOOKMARK") {
    event.kind_ = Kind::kBookmark;
  } else if (type != "MODIFIED") {
    return Error{Code::kTransient, "the watch has an event of the unknown type \"" + type + "\""};
  }
  return event;
}

}  // namespace snapfreeze::kube
