// Many runs side by side, and what came of them in words.
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
  // What the level makes of a scenario before each run.
  std::function<Scenario(const Scenario&)> adapt = [](const Scenario& scenario) { return scenario; };
  std::vector<Scenario> scenarios;
  std::uint64_t first_seed = 1;
  int seeds = 1;
  int jobs = 1;
  int kill_every = 1;  // of the generated runs, each so many-th
  int again_when_starved = 0;
  bool flip = false;   // instead: turn each expectation round, and fail where nothing noticed
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
