// POST /mutate: an AdmissionReview in, one with a response out.
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

  // 200 with an answer that allows the object; 400 with a text for what is no review; 404, 405. `?timeout=` bounds the
  // time (webhook/budget.h), counted from request.arrival.
  edge::HttpResponse operator()(const edge::HttpRequest& request) const;

 private:
  Admission& admission_;
  Clock& clock_;
  Metrics& metrics_;
};

}  // namespace snapfreeze::webhook
