// Compares what is to be seen with what a scenario expects, and with what must hold in each of them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "test/scenarios/runner/observed.h"

namespace runner {

// One line a broken promise, in words.
using Failures = std::vector<std::string>;

struct Outcome {
  Observed seen;
  std::map<std::string, Since> completed_after;  // backups, from their creation
};

// `slack`: what real processes need beside the times of the file; 0 in virtual time.
Failures judge_expectations(const Scenario& scenario, const Outcome& outcome, Millis slack);

// Whatever the file says: no creation blocked, no guest frozen at the end or for longer than any timer allows, no false
// "filesystem" or "offline", no session left. `webhook_timeout`: when the API server gives up on a webhook of ours.
Failures judge_promises(const Scenario& scenario, const Outcome& outcome, Millis slack, Millis webhook_timeout);

// Whether the file says that Harvester alone leaves it frozen.
[[nodiscard]] bool may_stay_frozen(const Scenario& scenario, const std::string& vm);

}  // namespace runner
