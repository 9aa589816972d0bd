// Runs scenario files on one level: scenario_runner --level sim|sandbox|cluster [options] [file or folder ...]
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "base/log.h"
#include "test/scenarios/runner/cluster_system.h"
#include "test/scenarios/runner/fields.h"
#include "test/scenarios/runner/kill_rounds.h"
#include "test/scenarios/runner/parse.h"
#include "test/scenarios/runner/sandbox_system.h"
#include "test/scenarios/runner/suite.h"
#include "test/sim/system.h"

namespace {

namespace fs = std::filesystem;

std::vector<std::string> files_of(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    for (const auto& entry : fs::directory_iterator(path)) {
      if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

int main(int argc, char** argv) try {
  runner::Plan plan;
  plan.level = "sim";
  plan.jobs = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  std::vector<std::string> paths = {SNAPFREEZE_SOURCE_DIR "/test/scenarios"};
  runner::Programs programs{"snapfreeze-sandbox", "snapfreeze"};
  bool verbose = false;
  bool keep_files = false;
  bool trace = false;
  int rounds = 0;
  std::vector<std::string> planes;
  std::string only;

  CLI::App app{"Runs scenarios (test/scenarios/README.md) and says what did not hold."};
  app.add_option("--level", plan.level, "virtual time, processes on the double, or processes on a real control plane")
      ->check(CLI::IsMember({"sim", "sandbox", "cluster"}))
      ->capture_default_str();
  app.add_option("--seed", plan.first_seed, "of the order in which things happen (sim)")->capture_default_str();
  app.add_option("--seeds", plan.seeds, "so many orders, beginning with --seed")->check(CLI::Range(1, 100000));
  app.add_option("--jobs", plan.jobs, "scenarios side by side")->check(CLI::Range(1, 64))->capture_default_str();
  app.add_option("--kill-every", plan.kill_every, "of the runs that kill after a call, each so many-th")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_flag("--flip", plan.flip, "turn each expectation round, and fail where nothing notices");
  app.add_flag("--verbose", verbose, "show what snapfreeze logs (sim)");
  app.add_flag("--trace", trace, "print each run's timeline: all calls, and what really happened (sim)");
  app.add_flag("--keep-files", keep_files, "leave logs and kubeconfigs in the temporary directory (sandbox)");
  app.add_option("--sandbox", programs.sandbox, "the program (sandbox)")->capture_default_str();
  app.add_option("--snapfreeze", programs.snapfreeze, "the program (sandbox, cluster)")->capture_default_str();
  app.add_option("--control-plane", planes,
                 "folder of one that test/real/plane/up.sh has started (cluster); may be repeated")
      ->allow_extra_args(false)
      ->check(CLI::ExistingDirectory);
  app.add_option("--kill-rounds", rounds, "instead: so many runs with a process killed at a random moment (cluster)")
      ->check(CLI::Range(0, 100000));
  app.add_option("--only", only, "scenarios whose name contains this");
  app.add_option("--report", plan.report, "file to which one line a scenario is added");
  app.add_option("paths", paths, "scenario files or folders");
  CLI11_PARSE(app, argc, argv);

  snapfreeze::log::configure(snapfreeze::log::Format::kText,
                             verbose ? snapfreeze::log::Level::kDebug : snapfreeze::log::Level::kError);
  runner::Tally tally;
  for (const std::string& file : files_of(paths)) {
    try {
      runner::Scenario scenario = runner::read_scenario(file);
      if (scenario.name.find(only) != std::string::npos) plan.scenarios.push_back(std::move(scenario));
    } catch (const runner::FileError& error) {
      std::printf("FAILED   %s\n", error.what());
      ++tally.failed;
    }
  }
  if (rounds > 0) plan.scenarios = runner::kill_rounds(plan.scenarios, rounds, plan.first_seed);
  runner::ControlPlanes control_planes(planes);
  if (plan.level == "cluster") {
    if (planes.empty()) return app.exit(CLI::RequiredError("--control-plane (scripts/e2e starts some)"));
    plan.jobs = static_cast<int>(planes.size());
    plan.adapt = runner::ClusterSystem::adapted;
    plan.again_when_starved = 2;
  }
  plan.make_system = [&](std::uint64_t seed) -> std::unique_ptr<runner::System> {
    if (plan.level == "sim") return std::make_unique<sim::System>(seed, trace);
    if (plan.level == "cluster") return std::make_unique<runner::ClusterSystem>(control_planes, programs.snapfreeze);
    return std::make_unique<runner::SandboxSystem>(programs, seed, keep_files);
  };
  const runner::Tally ran = runner::run_suite(plan);
  if (ran.cannot_run > 0) std::printf("%d cannot run on this level\n", ran.cannot_run);
  std::printf("%d passed, %d failed\n", tally.passed + ran.passed, tally.failed + ran.failed);
  // Nothing to run is no success.
  return tally.failed + ran.failed == 0 && !plan.scenarios.empty() ? 0 : 1;
} catch (const std::exception& error) {
  std::printf("FAILED   %s\n", error.what());
  return 1;
}
