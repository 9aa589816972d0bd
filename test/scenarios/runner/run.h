// Runs one scenario on one level.
#pragma once

#include <optional>

#include "test/scenarios/runner/judge.h"
#include "test/scenarios/runner/system.h"

namespace runner {

struct Run {
  Outcome outcome;
  Failures failures;
  std::map<std::string, int> calls;  // to the API server, by process
};

// Long enough for a rest of 60 s after a timer of 60 s, and for retries.
inline constexpr Since kLookingFor = Millis(200000);

struct HowToRun {
  // The file's own expectations do not count, for example because something else is killed too.
  bool promises_only = false;
  // How long, whether or not all is as expected sooner. By default until it is, and at most for kLookingFor after the
  // last event of the file.
  std::optional<Since> exactly;
};

Run run(System& system, const Scenario& scenario, const HowToRun& how = {});

// All that does not hold.
Failures judge(const Scenario& scenario, const Outcome& outcome, const System& system, bool promises_only);

}  // namespace runner
