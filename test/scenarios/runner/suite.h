// Many runs side by side, and a report of them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "test/scenarios/runner/run.h"

namespace runner {

struct Plan {
  std::string level;
  // A fresh system of that level for one run.
  std::function<std::unique_ptr<System>(std::uint64_t seed)> make_system;
  // A scenario as the level plays it; called before each run.
  std::function<Scenario(const Scenario&)> adapt = [](const Scenario& scenario) { return scenario; };
  std::vector<Scenario> scenarios;
  std::uint64_t first_seed = 1;
  int seeds = 1;
  int jobs = 1;
  int kill_every = 1;  // of the generated runs, only every n-th
  int again_when_starved = 0;
  bool flip = false;   // instead: reverse each expectation, and fail where nothing noticed
  std::string report;  // file to which one line a scenario is added: level, scenario, outcome, why; tabs between
};

struct Tally {
  int passed = 0;
  int failed = 0;
  int cannot_run = 0;
};

// Prints one line a scenario as it ends, and below it what failed.
Tally run_suite(const Plan& plan);

}  // namespace runner
