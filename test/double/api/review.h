// AdmissionReviews of VolumeSnapshot CREATE, exactly as a kube-apiserver writes them.
#pragma once

#include <optional>
#include <string>

#include "test/double/api/http.h"

namespace cluster {

// metadata.managedFields of an object just sent: one entry, of the manager named first in the user agent.
void add_managed_fields(Json& object, const std::string& user_agent, const std::string& time);

std::string review_body(const HttpRequest& request, const Json& object, const std::string& uid, bool dry_run);

struct ReviewAnswer {
  std::string error;  // not empty: not a valid answer
  bool allowed = false;
  int code = 0;
  std::string message;
  std::optional<std::string> patch;  // a JSON text
};

ReviewAnswer read_answer(const std::string& body, const std::string& uid);

}  // namespace cluster
