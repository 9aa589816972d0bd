// Runs one scenario on one level.
#pragma once

#include "test/runner/judge.h"
#include "test/runner/system.h"

namespace runner {

struct Run {
  Failures failures;
  Since lasted{0};
  std::map<std::string, int> calls;  // to the API server, by process
};

struct HowToRun {
  // The file's own expectations do not count, as when something is killed beside what it says.
  bool promises_only = false;
  // When to look for the last time although not all is as expected: a rest of 60 s after a timer of 60 s, and retries.
  Since at_most = Millis(200000);
};

Run run(System& system, const Scenario& scenario, const HowToRun& how = {});

}  // namespace runner
