// One line of a watch. Rests on the API concept "efficient detection of changes" of the Kubernetes documentation.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace snapfreeze::kube {

class WatchEvent {
 public:
  enum class Kind {
    kAdded,  // the object has come into being, or under the label selector
    kModified,
    kDeleted,   // it is gone, or has left the label selector
    kBookmark,  // it is only a version
  };

  // The error of an ERROR event is the one that its Status stands for, as in kube/rest.h. kTransient: the line is no
  // event. Json::Prune::kUnread is null in the object.
  static Result<WatchEvent> parse(std::string_view line);

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] const Json& object() const { return line_["object"]; }
  // Of the object, never empty. A watch can resume from it.
  [[nodiscard]] const std::string& version() const { return object()["metadata"]["resourceVersion"].string(); }

 private:
  Json line_;
  Kind kind_ = Kind::kModified;
};

}  // namespace snapfreeze::kube
