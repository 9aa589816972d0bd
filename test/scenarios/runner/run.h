// Runs one scenario on one level.
#pragma once

#include <optional>

#include "test/scenarios/runner/judge.h"
#include "test/scenarios/runner/system.h"

namespace runner {

struct Run {
  Failures failures;
  Since lasted{0};
  std::map<std::string, int> calls;  // to the API server, by process
};

// A rest of 60 s after a timer of 60 s, and retries.
inline constexpr Since kLookingFor = Millis(200000);

struct HowToRun {
  // The file's own expectations do not count, as when something is killed beside what it says.
  bool promises_only = false;
  // When to look for the last time although not all is as expected; by default kLookingFor after the last thing that
  // the file lets happen.
  std::optional<Since> at_most;
};

Run run(System& system, const Scenario& scenario, const HowToRun& how = {});

}  // namespace runner
