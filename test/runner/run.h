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

// `promises_only`: the file's own expectations do not count, as when something is killed beside what it says.
Run run(System& system, const Scenario& scenario, bool promises_only = false);

}  // namespace runner
