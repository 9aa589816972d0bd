// What an HTTP handler takes and gives.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace snapfreeze::edge {

struct HttpRequest {
  std::string method;  // GET or POST: all others are refused
  std::string path;    // as sent, not percent-decoded: "/mutate"
  std::string query;   // what follows the '?', as sent: "timeout=10s"
  std::string body;    // whole; of a POST it is application/json
  std::string peer;    // "10.0.0.1:40000", "[fd00::1]:40000"
  Mono arrival{};      // when its first byte was seen
};

struct HttpResponse {
  int status = 200;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // Content-Length and Connection are the server's
};

// Called by many threads at once. What it throws becomes a 500.
using Handler = std::function<HttpResponse(const HttpRequest&)>;

// A reply of one line of plain text.
HttpResponse text_response(int status, std::string text);

}  // namespace snapfreeze::edge
