// Plans for what has no session: snapshots whose epoch is none, and guests that somebody left frozen.
#include <algorithm>

#include "freeze/names.h"
#include "sweeper/planner.h"

namespace snapfreeze::sweeper {
namespace {

using freeze::Consistency;
using freeze::Verdict;
namespace reason = freeze::reason;

// Older backups were left by a Harvester that somebody has looked after since.
constexpr std::chrono::hours kRescueAge{1};

StrayPlan act(StrayPlan::Action action, Verdict verdict = {}) {
  return {action, Mono::max(), std::move(verdict)};
}

StrayPlan hold_off(Mono until = Mono::max()) {
  return {StrayPlan::Action::kWait, until, {}};
}

// The snapshot has its verdict; what does that mean for its backup?
StrayPlan plan_backup(const Stray& stray, Mono now) {
  const BackupFacts no_backup;
  const BackupFacts& backup = stray.backup ? *stray.backup : no_backup;
  const auto& names = backup.snapshot_names;
  // An owner reference can be copied by anybody; the backup's own list cannot.
  const bool is_member = std::find(names.begin(), names.end(), stray.facts.name) != names.end();
  if (!is_member || backup.namespace_ != stray.facts.namespace_) {
    const Mono end_of_grace = stray.since + kStrayGrace;
    return stray.fresh && now < end_of_grace ? hold_off(end_of_grace) : act(StrayPlan::Action::kForget);
  }
  if (backup.consistency == to_string(Consistency::kCrash)) return act(StrayPlan::Action::kForget);
  const Verdict& verdict = stray.verdicts.at(stray.facts.name);
  if (verdict.consistency == Consistency::kCrash) return act(StrayPlan::Action::kJudgeBackup, verdict);
  // A disk of a session that has ended: its backup was judged before.
  if (stray.facts.epoch != freeze::kEpochOffline || !backup.consistency.empty()) return act(StrayPlan::Action::kForget);
  const bool all_judged =
      std::all_of(names.begin(), names.end(), [&](const std::string& name) { return stray.verdicts.contains(name); });
  if (!all_judged) return hold_off();
  return act(StrayPlan::Action::kJudgeBackup, judge_backup(names, stray.verdicts));
}

StrayPlan plan_offline(const Stray& stray) {
  if (!stray.captured) return hold_off();
  if (stray.vmi_seen) return act(StrayPlan::Action::kJudge, {Consistency::kCrash, reason::kStarted});
  if (!stray.watched || stray.facts.vm.empty()) {
    return act(StrayPlan::Action::kJudge, {Consistency::kCrash, reason::kUnverified});
  }
  return act(StrayPlan::Action::kJudge, {Consistency::kOffline, ""});
}

}  // namespace

StrayPlan plan_stray(const Stray& stray, Mono now) {
  if (!stray.facts.consistency.empty()) return plan_backup(stray, now);
  if (stray.facts.epoch == freeze::kEpochOffline) return plan_offline(stray);
  const Mono end_of_grace = stray.since + kStrayGrace;
  return now < end_of_grace ? hold_off(end_of_grace) : act(StrayPlan::Action::kJudgeLost);
}

RescuePlan plan_rescue(const FrozenGuest& guest, Observed now, const freeze::Policy& policy) {
  RescuePlan plan;
  if (!guest.vmi.running || guest.vmi.deleting || now.bound == Wall::max()) return plan;
  for (const BackupFacts& backup : guest.backups) {
    const bool young = backup.created && now.bound - *backup.created < kRescueAge;
    if (backup.harvester_froze && young) plan.backup = backup;
  }
  if (!plan.backup) return plan;
  const Mono due = guest.since + policy.max_timer;
  plan.rescue = now.at > due;
  if (!plan.rescue) plan.wake = due + Millis(1);
  return plan;
}

}  // namespace snapfreeze::sweeper
