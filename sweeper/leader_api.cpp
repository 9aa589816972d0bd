#include "sweeper/leader_api.h"

namespace snapfreeze::sweeper {

kube::Request LeaderApi::bounded(const kube::Request& request) const {
  kube::Request copy = request;
  if (request.method == kube::Method::kGet || request.send_by != Mono::max()) return copy;
  const Mono until = elector_.leads_until();
  copy.send_by = until == Mono::min() ? until : until - request.timeout;
  return copy;
}

Result<kube::Response> LeaderApi::call(const kube::Request& request) {
  return api_.call(bounded(request));
}

std::vector<Result<kube::Response>> LeaderApi::call_all(std::span<const kube::Request> requests) {
  std::vector<kube::Request> copies;
  copies.reserve(requests.size());
  for (const kube::Request& request : requests) copies.push_back(bounded(request));
  return api_.call_all(copies);
}

Result<void> LeaderApi::stream(const kube::Request& request, Millis idle, const kube::LineSink& sink) {
  return api_.stream(request, idle, sink);
}

}  // namespace snapfreeze::sweeper
