// POST /mutate: takes an AdmissionReview, returns one with a response.
#pragma once

#include "edge/http.h"
#include "webhook/admission.h"

namespace snapfreeze::webhook {

// An edge::Handler. As thread-safe as an Admission, that is. All outlive it.
class MutateHandler {
 public:
  static constexpr char kPath[] = "/mutate";

  MutateHandler(Admission& admission, Clock& clock, Metrics& metrics)
      : admission_(admission), clock_(clock), metrics_(metrics) {}

  // 200 with an answer that allows the object; 400 with a text if the body is not a review; 404, 405. `?timeout=`
  // bounds the time (webhook/budget.h), counted from request.arrival.
  edge::HttpResponse operator()(const edge::HttpRequest& request) const;

 private:
  Admission& admission_;
  Clock& clock_;
  Metrics& metrics_;
};

}  // namespace snapfreeze::webhook
