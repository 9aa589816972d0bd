#include "test/scenarios/runner/kill_rounds.h"

#include <algorithm>
#include <random>

namespace runner {
namespace {

constexpr Millis kTimer{30000};      // the default T
constexpr Millis kCompletes{20000};  // its admissions may each wait for their whole budget

Scenario killed(const Scenario& scenario, std::mt19937_64& random) {
  const auto draw = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
  Scenario round = scenario;
  round.product.sweepers = 2;
  Event kill;
  kill.action = Action::kKill;
  kill.target = std::string(draw(0, 1) == 0 ? "webhook-" : "sweeper-") + std::to_string(draw(0, 1));
  kill.at = Millis(draw(0, 2500));
  kill.back_after = Millis(draw(500, 3000));
  round.events.push_back(kill);
  round.name += ", " + kill.target + " killed at " + std::to_string(kill.at.count()) + " ms";
  round.expectations.clear();
  for (const Vm& vm : round.vms) {
    Expectation frozen;
    frozen.field = Field::kFrozenAtMost;
    frozen.of = vm.key();
    frozen.bound = kTimer;
    round.expectations.push_back(frozen);
  }
  for (const Backup& backup : round.backups) {
    Expectation completes;
    completes.field = Field::kCompletesWithin;
    completes.of = round.find_vm(backup.vm)->namespace_ + "/" + backup.name;
    completes.bound = kCompletes;
    round.expectations.push_back(completes);
  }
  for (Expectation& expected : round.expectations) expected.where = "kill round";
  return round;
}

}  // namespace

std::vector<Scenario> kill_rounds(const std::vector<Scenario>& scenarios, int rounds, std::uint64_t seed) {
  std::vector<Scenario> made;
  std::vector<Scenario> from;
  std::copy_if(scenarios.begin(), scenarios.end(), std::back_inserter(from),
               [](const Scenario& one) { return !one.kill_after_each_call.empty(); });
  std::mt19937_64 random(seed);
  for (int i = 0; i < rounds && !from.empty(); ++i) {
    made.push_back(killed(from[static_cast<std::size_t>(i) % from.size()], random));
  }
  return made;
}

}  // namespace runner
