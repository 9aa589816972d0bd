// Everything that the logic of an admission calls. Nothing else reaches out of the process or reads a clock.
#pragma once

#include "base/clock.h"
#include "base/metrics.h"
#include "freeze/session_store.h"
#include "kube/api.h"
#include "kube/server_time.h"

namespace snapfreeze::webhook {

// All of them are thread-safe, and outlive every holder of this struct.
struct Seams {
  kube::KubeApi& api;
  Clock& clock;
  const kube::ServerTime& server_time;  // fed by the replies of `api`
  freeze::SessionStore& sessions;       // on the same `api`
  Metrics& metrics;
};

}  // namespace snapfreeze::webhook
