// The request that an HTTP handler takes, and the response that it returns.
#pragma once

#include <cstddef>
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

// Called by many threads at once. If it throws, the reply is a 500.
using Handler = std::function<HttpResponse(const HttpRequest&)>;

// A reply of one line of plain text.
inline HttpResponse text_response(int status, std::string text) {
  return {status, std::move(text) + '\n', {{"Content-Type", "text/plain; charset=utf-8"}}};
}

// The largest request that is accepted.
struct Limits {
  std::size_t head = 32 * 1024;        // bytes of the request line and the headers; a line of them has 8 KiB at most
  std::size_t body = 7 * 1024 * 1024;  // above what the API server sends for an object of etcd's 1.5 MiB, old and new
};

}  // namespace snapfreeze::edge
