// Requests and replies as both faces of the double know them.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace cluster {

using Json = nlohmann::json;

struct HttpRequest {
  std::string method;                          // upper case
  std::string path;                            // decoded, without the query
  std::map<std::string, std::string> query;    // decoded
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::string caller;      // the user name: who is asking
  std::string user_agent;  // becomes the field manager

  // Splits and decodes "/path?query" into path and query.
  void set_target(std::string_view target);
  [[nodiscard]] std::string param(const std::string& name) const;  // "" when absent
};

// Writes bytes of a stream; false when the reader is gone.
using ByteSink = std::function<bool(std::string_view bytes)>;

struct Reply {
  int status = 200;
  std::string body;
  std::map<std::string, std::string> headers;
  // The connection is closed without a reply.
  bool dropped = false;
  // Set for a watch: called once by the face, returns when the stream ends (then the connection is closed cleanly).
  std::function<void(const ByteSink&)> stream;

  [[nodiscard]] Json json() const { return Json::parse(body); }
};

}  // namespace cluster
