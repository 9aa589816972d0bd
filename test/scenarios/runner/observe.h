// Turns objects and ground truth, as JSON, into what the judge looks at. The same for all levels.
#pragma once

#include <nlohmann/json.hpp>

#include "test/scenarios/runner/observed.h"

namespace runner {

using Json = nlohmann::json;

struct Sources {
  Json snapshots;  // lists of items
  Json backups;
  Json leases;    // of snapfreeze's own namespace
  Json guests;    // the double's truth: {"ns/vm": {"intervals": [...]}}
  Json timeline;  // the double's truth: [{"ms", "kind", "object", "detail"}]
};

// Times of the truth count from `start_ms`. Callers are named by their kind: "webhook-1" is "webhook".
Observed observe(const Sources& sources, double start_ms, Since now);

[[nodiscard]] std::string kind_of_caller(const std::string& caller);

}  // namespace runner
