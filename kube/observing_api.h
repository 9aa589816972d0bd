// A KubeApi that passes every reply on and reports what it saw: the server's clock, and calls by verb and code.
#pragma once

#include <functional>

#include "base/clock.h"
#include "kube/api.h"
#include "kube/server_time.h"

namespace snapfreeze::kube {

// As thread-safe as the given API and callback. Both, the ServerTime and the clock outlive it.
class ObservingApi : public KubeApi {
 public:
  // `verb` is the HTTP method, or "WATCH" for a stream, which counts when it ends; `http_status` is 0 when no reply
  // came.
  using OnCall = std::function<void(std::string_view verb, int http_status)>;

  ObservingApi(KubeApi& api, ServerTime& server_time, const Clock& clock, OnCall on_call);

  Result<Response> call(const Request& request) override;
  std::vector<Result<Response>> call_all(std::span<const Request> requests) override;
  Result<void> stream(const Request& request, Millis idle, const LineSink& sink) override;

 private:
  void observe(const Request& request, const Result<Response>& reply);

  KubeApi& api_;
  ServerTime& server_time_;
  const Clock& clock_;
  OnCall on_call_;
};

[[nodiscard]] std::string_view verb_of(Method method);

}  // namespace snapfreeze::kube
