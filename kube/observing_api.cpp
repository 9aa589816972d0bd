#include "kube/observing_api.h"

#include <utility>

namespace snapfreeze::kube {

std::string_view verb_of(Method method) {
  switch (method) {
    case Method::kGet:
      return "GET";
    case Method::kPost:
      return "POST";
    case Method::kPut:
      return "PUT";
    case Method::kPatch:
      return "PATCH";
    case Method::kDelete:
      return "DELETE";
  }
  return "";
}

ObservingApi::ObservingApi(KubeApi& api, ServerTime& server_time, const Clock& clock, OnCall on_call)
    : api_(api), server_time_(server_time), clock_(clock), on_call_(std::move(on_call)) {}

Result<Response> ObservingApi::call(const Request& request) {
  Result<Response> reply = api_.call(request);
  observe(request, reply);
  return reply;
}

std::vector<Result<Response>> ObservingApi::call_all(std::span<const Request> requests) {
  std::vector<Result<Response>> replies = api_.call_all(requests);
  for (std::size_t i = 0; i < replies.size(); ++i) observe(requests[i], replies[i]);
  return replies;
}

Result<void> ObservingApi::stream(const Request& request, Millis idle, const LineSink& sink) {
  Result<void> end = api_.stream(request, idle, sink);
  on_call_("WATCH", end.ok() ? 200 : end.error().http_status);
  return end;
}

void ObservingApi::observe(const Request& request, const Result<Response>& reply) {
  // Replies of an aggregated API may have the Date of the server behind it, here virt-api: another machine's clock.
  const bool aggregated = request.target.starts_with("/apis/subresources.kubevirt.io/");
  if (reply.ok() && !aggregated) server_time_.observe(reply.value(), clock_.monotonic());
  on_call_(verb_of(request.method), reply.ok() ? reply->status : reply.error().http_status);
}

}  // namespace snapfreeze::kube
