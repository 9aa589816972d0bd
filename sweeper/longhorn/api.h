// The seam to Longhorn's REST API, which answers live what the Kubernetes API says up to 7 s later.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace snapfreeze::sweeper {

// As received; nothing vouches for it.
struct HttpAnswer {
  int status = 0;
  std::string body;
};

class LonghornApi {
 public:
  virtual ~LonghornApi() = default;

  // Thread-safe. One POST of JSON to Longhorn's REST API, answered within `timeout`. `path_and_query` begins with
  // "/v1/". An error means that no whole answer came: kTransient (no connection, too late, too long), or kCancelled
  // once the process is stopping.
  virtual Result<HttpAnswer> post(const std::string& path_and_query, const std::string& body, Millis timeout) = 0;
};

}  // namespace snapfreeze::sweeper
