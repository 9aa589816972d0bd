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

// Long enough for a rest of 60 s after a timer of 60 s, and for retries.
inline constexpr Since kLookingFor = Millis(200000);

struct HowToRun {
  // The file's own expectations do not count, for example because something else is killed too.
  bool promises_only = false;
  // When to look for the last time although not everything is as expected. By default kLookingFor after the last event
  // of the file.
  std::optional<Since> at_most;
};

Run run(System& system, const Scenario& scenario, const HowToRun& how = {});

}  // namespace runner
