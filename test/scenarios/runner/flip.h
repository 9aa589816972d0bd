// Reverses what a scenario expects, to see that the judge notices. An expectation that no run can break says nothing.
#pragma once

#include <string>
#include <vector>

#include "test/scenarios/runner/scenario.h"

namespace runner {

// Each expectation turned into one that must not hold, one at a time.
struct Flipped {
  Scenario scenario;
  std::string what;  // "file:line says ... instead"
};
std::vector<Flipped> flipped(const Scenario& scenario);

}  // namespace runner
