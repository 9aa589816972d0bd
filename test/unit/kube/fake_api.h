// A KubeApi whose replies the test has written down.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "kube/api.h"

namespace snapfreeze::kube {

class FakeApi : public KubeApi {
 public:
  struct Stream {
    std::vector<std::string> lines;
    Result<void> end;
  };

  Result<Response> call(const Request& request) override {
    requests.push_back(request);
    if (replies.empty()) return Error{Code::kCancelled, "no reply left"};
    Result<Response> reply = std::move(replies.front());
    replies.pop_front();
    return reply;
  }

  Result<void> stream(const Request& request, Millis, const LineSink& sink) override {
    requests.push_back(request);
    if (streams.empty()) return Error{Code::kCancelled, "no stream left"};
    const Stream stream = std::move(streams.front());
    streams.pop_front();
    for (const std::string& line : stream.lines) {
      if (!sink(line)) return {};
    }
    return stream.end;
  }

  std::vector<Request> requests;  // that came
  std::deque<Result<Response>> replies;
  std::deque<Stream> streams;
};

inline Response reply_of(int status, std::string body) {
  return {status, std::move(body), std::nullopt, Mono{}};
}

// Two replies that are too large: of too many values, and of too many bytes.
inline Response reply_of_too_many_values() {
  std::string body = R"({"items":[0)";
  for (int i = 0; i < Json::kMaxValues; ++i) body += ",0";
  return reply_of(200, body + "]}");
}
inline Error reply_of_too_many_bytes() {
  return {.code = Code::kTransient, .message = "over 16 MiB", .http_status = 200, .too_large = true};
}

}  // namespace snapfreeze::kube
