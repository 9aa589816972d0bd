// Compares what was observed with what the scenario expects, and with what must hold in every scenario.
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

// What must hold whatever the file says: no creation was blocked, no guest is frozen at the end or was for longer than
// any timer allows, no "filesystem" or "offline" is false, and no session is left. `webhook_timeout`: when the API
// server gives up on a webhook of ours.
Failures judge_promises(const Scenario& scenario, const Outcome& outcome, Millis slack, Millis webhook_timeout);

// Whether the file says that Harvester alone leaves the guest frozen.
[[nodiscard]] bool may_stay_frozen(const Scenario& scenario, const std::string& vm);

}  // namespace runner
