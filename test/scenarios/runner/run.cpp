#include "test/scenarios/runner/run.h"

#include <algorithm>
#include <functional>

namespace runner {
namespace {

// So long nothing more must happen once all is settled.
constexpr Since kQuiet = Millis(3000);

struct Step {
  Millis at;
  std::function<void()> act;
};

std::vector<Step> steps_of(System& system, const Scenario& scenario) {
  std::vector<Step> steps;
  // What is given from the start stands before what it happens to.
  for (const Event& event : scenario.events) steps.push_back({event.at, [&] { system.happen(event); }});
  for (const Backup& backup : scenario.backups) steps.push_back({backup.at, [&] { system.begin(backup); }});
  for (const Snapshot& snapshot : scenario.snapshots) steps.push_back({snapshot.at, [&] { system.begin(snapshot); }});
  for (const Pod& pod : scenario.pods) {
    steps.push_back({pod.at, [&] { system.begin(pod); }});
    if (pod.lasts) steps.push_back({pod.at + *pod.lasts, [&] { system.end(pod); }});
  }
  std::stable_sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) { return a.at < b.at; });
  return steps;
}

bool settled(const Scenario& scenario, const Outcome& outcome, Millis slack, bool promises_only) {
  const auto at_rest = [&](const auto& guest) {
    const auto& frozen = guest.second.frozen;
    return frozen.empty() || frozen.back().until || may_stay_frozen(scenario, guest.first);
  };
  const auto& guests = outcome.seen.guests;
  if (outcome.seen.sessions != 0 || !std::all_of(guests.begin(), guests.end(), at_rest)) return false;
  const bool completed = outcome.completed_after.size() == scenario.backups.size();
  return promises_only ? completed : judge_expectations(scenario, outcome, slack).empty();
}

void look(System& system, const Scenario& scenario, Outcome& outcome) {
  outcome.seen = system.look();
  for (const auto& [key, backup] : outcome.seen.backups) {
    const Backup* of = scenario.find_backup(key.substr(key.find('/') + 1));
    if (of != nullptr && backup.complete) outcome.completed_after.try_emplace(key, outcome.seen.now - of->at);
  }
}

}  // namespace

Run run(System& system, const Scenario& scenario, const HowToRun& how) {
  system.start(scenario);
  Outcome outcome;
  std::vector<Step> steps = steps_of(system, scenario);
  auto next = steps.begin();
  std::optional<Since> settled_at;
  Since now{0};
  const Since at_most = how.exactly.value_or(kLookingFor + (steps.empty() ? Since(0) : Since(steps.back().at)));
  while (now < at_most && (!settled_at || now - *settled_at < kQuiet)) {
    for (; next != steps.end() && next->at <= now; ++next) next->act();
    look(system, scenario, outcome);
    const bool is_settled = !how.exactly && next == steps.end() &&  //
                            settled(scenario, outcome, system.slack(), how.promises_only);
    settled_at = is_settled ? std::optional(settled_at.value_or(now)) : std::nullopt;
    const Since later = now + system.look_every();
    now = next == steps.end() ? later : std::clamp(Since(next->at), now + Since(1), later);
    system.wait_until(now);
  }
  look(system, scenario, outcome);
  Run result;
  result.calls = system.calls();
  result.failures = judge(scenario, outcome, system, how.promises_only);
  result.outcome = std::move(outcome);
  return result;
}

Failures judge(const Scenario& scenario, const Outcome& outcome, const System& system, bool promises_only) {
  Failures failures;
  if (!promises_only) failures = judge_expectations(scenario, outcome, system.slack());
  for (std::string& failure : judge_promises(scenario, outcome, system.slack(), system.webhook_timeout())) {
    failures.push_back(std::move(failure));
  }
  return failures;
}

}  // namespace runner
