#include "test/runner/suite.h"

#include <atomic>
#include <cstdio>
#include <mutex>
#include <thread>

namespace runner {
namespace {

using Clock = std::chrono::steady_clock;

struct Result {
  int runs = 0;
  Since lasted{0};
  std::vector<std::string> failures;  // at most a few of each run
  int failed_runs = 0;
  std::string skipped;  // why
};

class Suite {
 public:
  explicit Suite(const Plan& plan) : plan_(plan) {}

  Result run(const Scenario& scenario) {
    Result result;
    result.skipped = plan_.make_system(plan_.first_seed)->cannot_run(scenario);
    if (!result.skipped.empty()) return result;
    if (plan_.flip) {
      run_flipped(scenario, result);
      return result;
    }
    for (int i = 0; i < plan_.seeds; ++i) {
      const std::uint64_t seed = plan_.first_seed + static_cast<std::uint64_t>(i);
      const Run clean = run_once(scenario, seed, "", {}, result);
      if (!scenario.kill_after_each_call.empty()) run_killed(scenario, seed, clean, result);
    }
    return result;
  }

 private:
  Run run_once(const Scenario& scenario, std::uint64_t seed, const std::string& what, const HowToRun& how,
               Result& result) {
    Run one;
    try {
      one = runner::run(*plan_.make_system(seed), scenario, how);
    } catch (const std::exception& error) {
      one.failures.push_back(error.what());
    }
    ++result.runs;
    result.lasted += one.lasted;
    if (one.failures.empty()) return one;
    ++result.failed_runs;
    for (const std::string& failure : one.failures) {
      result.failures.push_back((plan_.seeds > 1 ? "seed " + std::to_string(seed) + ": " : "") + what + failure);
    }
    return one;
  }

  void run_killed(const Scenario& scenario, std::uint64_t seed, const Run& clean, Result& result) {
    for (const auto& [process, calls] : clean.calls) {
      if (process.rfind(scenario.kill_after_each_call, 0) != 0) continue;
      for (int call = 1; call <= calls; call += plan_.kill_every) {
        Scenario killed = scenario;
        Event kill;
        kill.action = Action::kKill;
        kill.target = process;
        kill.after_call = call;
        killed.events.push_back(kill);
        run_once(killed, seed, process + " killed after call " + std::to_string(call) + ": ", {true}, result);
      }
    }
  }

  void run_flipped(const Scenario& scenario, Result& result) {
    // What does not come soon after all had come does not come.
    const HowToRun how{false, run_once(scenario, plan_.first_seed, "", {}, result).lasted + Since(Millis(5000))};
    for (const Flipped& flip : flipped(scenario)) {
      ++result.runs;
      const Run run = runner::run(*plan_.make_system(plan_.first_seed), flip.scenario, how);
      result.lasted += run.lasted;
      if (!run.failures.empty()) continue;
      ++result.failed_runs;
      result.failures.push_back("nothing fails when " + flip.what);
    }
  }

  const Plan& plan_;
};

void print(const Plan& plan, const Scenario& scenario, const Result& result, Clock::duration took) {
  const char* verdict = !result.skipped.empty() ? "skipped" : result.failed_runs > 0 ? "FAILED" : "passed";
  const double seconds = std::chrono::duration<double>(took).count();
  std::string detail = scenario.title;
  if (!result.skipped.empty()) detail = result.skipped;
  if (result.runs > 1) detail = std::to_string(result.runs) + " runs: " + detail;
  std::printf("%-7s  %-7s  %6.1f s  %-32.60s  %s\n", verdict, plan.level.c_str(), seconds, scenario.name.c_str(),
              detail.c_str());
  constexpr std::size_t kShown = 20;
  for (std::size_t i = 0; i < result.failures.size() && i < kShown; ++i) {
    std::printf("         %s\n", result.failures[i].c_str());
  }
  if (result.failures.size() > kShown) std::printf("         ... and %zu more\n", result.failures.size() - kShown);
  std::fflush(stdout);
}

}  // namespace

Tally run_suite(const Plan& plan) {
  Tally tally;
  std::mutex printing;
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < plan.scenarios.size(); i = next++) {
      const auto began = Clock::now();
      const Result result = Suite(plan).run(plan.scenarios[i]);
      const std::lock_guard lock(printing);
      print(plan, plan.scenarios[i], result, Clock::now() - began);
      tally.passed += result.runs - result.failed_runs;
      tally.failed += result.failed_runs;
      tally.skipped += result.skipped.empty() ? 0 : 1;
    }
  };
  std::vector<std::thread> workers;
  for (int i = 0; i < plan.jobs; ++i) workers.emplace_back(work);
  for (std::thread& worker : workers) worker.join();
  return tally;
}

}  // namespace runner
