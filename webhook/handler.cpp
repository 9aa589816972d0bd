#include "webhook/handler.h"

#include "base/log.h"
#include "webhook/budget.h"

namespace snapfreeze::webhook {
namespace {

void log_outcome(const Review& review, const Outcome& outcome) {
  const std::string_view vm = outcome.marks ? std::string_view(outcome.marks->vm) : "";
  const std::string_view epoch = outcome.marks ? std::string_view(outcome.marks->epoch) : "";
  const log::Fields fields = {{"decision", outcome.decision},
                              {"namespace", review.namespace_},
                              {"name", review.name},
                              {"resource", "volumesnapshots"},
                              {"vm", vm},
                              {"epoch", epoch},
                              {"user", review.user.name},
                              {"requestID", review.uid},
                              {"error", outcome.error}};
  if (!outcome.error.empty()) {
    log::warning("admission answered", fields);
  } else if (outcome.marks) {
    log::info("admission answered", fields);
  } else {
    log::debug("admission answered", fields);
  }
}

}  // namespace

edge::HttpResponse MutateHandler::operator()(const edge::HttpRequest& request) const {
  if (request.path != kPath) return edge::text_response(404, "not found: AdmissionReviews are posted to /mutate");
  if (request.method != "POST") {
    auto refusal = edge::text_response(405, "an AdmissionReview must be posted");
    refusal.headers.emplace_back("Allow", "POST");
    return refusal;
  }
  const auto review = decode_review(request.body);
  if (!review) {
    metrics_.admitted("malformed", clock_.monotonic() - request.arrival);
    log::warning("request refused", {{"peer", request.peer}, {"error", review.error().message}});
    return edge::text_response(400, review.error().message);
  }
  const Outcome outcome = admission_.admit(*review, request.arrival, request.arrival + time_allowed(request.query));
  metrics_.admitted(outcome.decision, clock_.monotonic() - request.arrival);
  log_outcome(*review, outcome);
  // A wrong registration sent this. Nothing is known of it, and nothing is changed.
  const Json patch = outcome.marks ? patch_for(review->object, *outcome.marks) : removals_for(review->object);
  return {200, encode_answer(review->uid, patch, outcome.warnings), {{"Content-Type", "application/json"}}};
}

}  // namespace snapfreeze::webhook
