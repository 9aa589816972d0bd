#include "test/scenarios/runner/suite.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "test/scenarios/runner/flip.h"

namespace runner {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Millis kStopped{120'000};
constexpr std::uint64_t kStopEvery = 8;

struct Result {
  int runs = 0;
  std::vector<std::string> failures;  // at most a few of each run
  int failed_runs = 0;
  std::string cannot_run;  // why

  void add(Result other) {
    runs += other.runs;
    failed_runs += other.failed_runs;
    std::move(other.failures.begin(), other.failures.end(), std::back_inserter(failures));
  }

  [[nodiscard]] const char* outcome() const {
    return !cannot_run.empty() ? "cannot" : failed_runs > 0 ? "FAILED" : "passed";
  }
};

// snapfreeze itself says that its webhook got too little of the processor to prove anything: half a second went by
// before its first call, with nothing to wait for.
bool is_starved(const Failures& failures) {
  return std::any_of(failures.begin(), failures.end(), [](const std::string& failure) {
    return failure.find("found crash (harvester-timer)") != std::string::npos;
  });
}

class Suite {
 public:
  explicit Suite(const Plan& plan) : plan_(plan) {}

  Result run(const Scenario& scenario) {
    Result result;
    result.cannot_run = plan_.make_system(plan_.first_seed)->cannot_run(scenario);
    if (!result.cannot_run.empty()) return result;
    if (plan_.flip) {
      run_flipped(scenario, result);
      return result;
    }
    for (int i = 0; i < plan_.seeds; ++i) {
      const std::uint64_t seed = plan_.first_seed + static_cast<std::uint64_t>(i);
      const Run clean = run_once(scenario, seed, "", {}, result);
      if (!scenario.kill_after_each_call.empty()) run_killed(scenario, seed, clean, result);
      if (!scenario.stop_at_each_call.empty() && plan_.level == "sim") run_stopped(scenario, seed, clean, result);
    }
    return result;
  }

 private:
  Run run_once(const Scenario& scenario, std::uint64_t seed, const std::string& what, const HowToRun& how,
               Result& result) {
    Run one = try_once(scenario, seed, how);
    for (int again = 0; again < plan_.again_when_starved && is_starved(one.failures); ++again) {
      std::printf("         %s is run again: the machine was too busy\n", scenario.name.c_str());
      one = try_once(scenario, seed, how);
    }
    ++result.runs;
    if (one.failures.empty()) return one;
    ++result.failed_runs;
    for (const std::string& failure : one.failures) {
      result.failures.push_back((plan_.seeds > 1 ? "seed " + std::to_string(seed) + ": " : "") + what + failure);
    }
    return one;
  }

  Run try_once(const Scenario& scenario, std::uint64_t seed, const HowToRun& how) {
    Run one;
    try {
      one = runner::run(*plan_.make_system(seed), plan_.adapt(scenario), how);
    } catch (const std::exception& error) {
      one.failures.push_back(error.what());
    }
    return one;
  }

  // Side by side where scenarios are: one after the other, those of one scenario would outlast all others.
  void run_killed(const Scenario& scenario, std::uint64_t seed, const Run& clean, Result& result) {
    std::vector<std::function<void(Result&)>> kills;
    for (const auto& [process, calls] : clean.calls) {
      if (process.rfind(scenario.kill_after_each_call, 0) != 0) continue;
      for (int call = 1; call <= calls; call += plan_.kill_every) {
        Scenario killed = scenario;
        Event kill;
        kill.action = Action::kKill;
        kill.target = process;
        kill.after_call = call;
        killed.events.push_back(kill);
        const std::string what = process + " killed after call " + std::to_string(call) + ": ";
        kills.emplace_back([=, this](Result& its) { run_once(killed, seed, what, {true, std::nullopt}, its); });
      }
    }
    std::vector<Result> results(kills.size());
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < kills.size(); ++i) {
      if (plan_.jobs == 1) {
        kills[i](results[i]);
      } else {
        threads.emplace_back(kills[i], std::ref(results[i]));
      }
    }
    for (std::thread& thread : threads) thread.join();
    for (Result& its : results) result.add(std::move(its));
  }

  // Each seed takes other calls, so that some seeds take them all.
  void run_stopped(const Scenario& scenario, std::uint64_t seed, const Run& clean, Result& result) {
    for (const auto& [process, calls] : clean.calls) {
      if (process.rfind(scenario.stop_at_each_call, 0) != 0) continue;
      const int first = 1 + static_cast<int>(seed % kStopEvery);
      for (int call = first; call <= calls; call += static_cast<int>(kStopEvery)) {
        for (const bool before : {true, false}) {
          Scenario stopped = scenario;
          Event stop;
          stop.action = Action::kHang;
          stop.target = process;
          (before ? stop.before_call : stop.after_call) = call;
          stop.lasts = kStopped;
          stopped.events.push_back(stop);
          const std::string where = process + " stopped " + (before ? "before" : "after") + " call ";
          run_once(stopped, seed, where + std::to_string(call) + ": ", {true, std::nullopt}, result);
        }
      }
    }
  }

  void run_flipped(const Scenario& scenario, Result& result) {
    const Since lasted = run_once(scenario, plan_.first_seed, "", {}, result).outcome.seen.now;
    // Whatever is still missing soon after everything else has happened will not happen.
    const auto system = plan_.make_system(plan_.first_seed);
    const Run whole = runner::run(*system, plan_.adapt(scenario), {false, lasted + Since(Millis(5000))});
    for (const Flipped& flip : flipped(scenario)) {
      ++result.runs;
      if (!judge(plan_.adapt(flip.scenario), whole.outcome, *system, false).empty()) continue;
      ++result.failed_runs;
      result.failures.push_back("nothing fails when " + flip.what);
    }
  }

  const Plan& plan_;
};

void print(const Plan& plan, const Scenario& scenario, const Result& result, Clock::duration took) {
  const double seconds = std::chrono::duration<double>(took).count();
  std::string detail = scenario.title;
  if (!result.cannot_run.empty()) detail = "cannot run: " + result.cannot_run;
  if (result.runs > 1) detail = std::to_string(result.runs) + " runs: " + detail;
  std::printf("%-7s  %-7s  %6.1f s  %-32.60s  %s\n", result.outcome(), plan.level.c_str(), seconds,
              scenario.name.c_str(), detail.c_str());
  constexpr std::size_t kShown = 20;
  for (std::size_t i = 0; i < result.failures.size() && i < kShown; ++i) {
    std::printf("         %s\n", result.failures[i].c_str());
  }
  if (result.failures.size() > kShown) std::printf("         ... and %zu more\n", result.failures.size() - kShown);
  std::fflush(stdout);
}

// About how long a scenario takes where time is real.
std::pair<bool, Millis> length(const Scenario& scenario) {
  Millis last{0};
  for (const Event& event : scenario.events) last = std::max(last, event.at + event.lasts);
  for (const Backup& backup : scenario.backups) last = std::max(last, backup.at);
  for (const Snapshot& snapshot : scenario.snapshots) last = std::max(last, snapshot.at);
  return {!scenario.kill_after_each_call.empty(), last};
}

// Of this suite only.
void begin_report(const std::filesystem::path& file) {
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path());
  std::filesystem::remove(file);
}

void report(const Plan& plan, const Scenario& scenario, const Result& result) {
  if (plan.report.empty()) return;
  const std::string why = !result.failures.empty() ? result.failures.front() : result.cannot_run;
  std::ofstream file(plan.report, std::ios::app);
  file << plan.level << '\t' << scenario.name << '\t' << result.outcome() << '\t' << why << '\n';
  if (!file) throw std::runtime_error(plan.report + ": cannot be written");
}

}  // namespace

Tally run_suite(const Plan& plan) {
  if (!plan.report.empty()) begin_report(plan.report);
  Tally tally;
  std::mutex printing;
  // The longest first, so that none of them begins when all others have ended.
  std::vector<const Scenario*> scenarios;
  for (const Scenario& scenario : plan.scenarios) scenarios.push_back(&scenario);
  std::stable_sort(scenarios.begin(), scenarios.end(),
                   [](const Scenario* a, const Scenario* b) { return length(*a) > length(*b); });
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < scenarios.size(); i = next++) {
      const auto began = Clock::now();
      const Result result = Suite(plan).run(*scenarios[i]);
      const std::lock_guard lock(printing);
      print(plan, *scenarios[i], result, Clock::now() - began);
      report(plan, *scenarios[i], result);
      tally.passed += result.runs - result.failed_runs;
      tally.failed += result.failed_runs;
      tally.cannot_run += result.cannot_run.empty() ? 0 : 1;
    }
  };
  std::vector<std::thread> workers;
  for (int i = 0; i < plan.jobs; ++i) workers.emplace_back(work);
  for (std::thread& worker : workers) worker.join();
  return tally;
}

}  // namespace runner
