// Plans for what has no session: snapshots whose epoch is none, and guests that somebody left frozen.
#include <algorithm>
#include <tuple>

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

// Nobody but the snapshot itself says what such a backup is worth, and a session has said it of its own.
StrayPlan plan_labelled(const Stray& stray, Mono now) {
  const auto& [epoch, why] = std::tie(stray.facts.epoch, stray.facts.reason);
  const bool without_session =
      epoch == freeze::kEpochNone || epoch == freeze::kEpochOffline || why == reason::kSessionLost;
  const bool told = stray.told && now < *stray.told + kSameLabel;
  if (!stray.fresh || told || !without_session || !stray.own_verdict) return act(StrayPlan::Action::kForget);
  return act(StrayPlan::Action::kTell, *stray.own_verdict);
}

// The snapshot has its verdict; what does that mean for its backup?
StrayPlan plan_backup(const Stray& stray, Mono now) {
  if (stray.facts.hold && stray.facts.hold->kind == freeze::Hold::Kind::kLabel) return plan_labelled(stray, now);
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

// As far as the watches tell; a fresh look has the last word.
template <class Snapshot>
Verdict at_rest(const Snapshot& snapshot) {
  if (snapshot.vmi_seen) return {Consistency::kCrash, reason::kStarted};
  if (!snapshot.watched || snapshot.facts.vm.empty()) return {Consistency::kCrash, reason::kUnverified};
  return {Consistency::kOffline, ""};
}

// All that the backup lists in one go, by the first of them; before `end` it waits for those that are not there yet.
StrayPlan plan_together(const Stray& stray, Mono end) {
  StrayPlan plan = act(StrayPlan::Action::kJudge, at_rest(stray));
  for (const std::string& name : stray.backup->snapshot_names) {
    if (name == stray.facts.name) continue;
    const auto sibling = std::find_if(stray.siblings.begin(), stray.siblings.end(),
                                      [&](const Stray::Sibling& other) { return other.facts.name == name; });
    if (sibling == stray.siblings.end()) return hold_off(end);
    const bool judged = stray.verdicts.contains(name);
    const bool can_be_judged = sibling->captured && sibling->facts.epoch == freeze::kEpochOffline;
    if (!judged && (!can_be_judged || sibling->facts.uid < stray.facts.uid)) return hold_off(end);
    plan.others.push_back({sibling->facts, judged ? stray.verdicts.at(name) : at_rest(*sibling)});
  }
  return plan;
}

StrayPlan plan_offline(const Stray& stray, Mono now) {
  if (!stray.captured) return hold_off();
  const bool listed = stray.backup && std::count(stray.backup->snapshot_names.begin(),
                                                 stray.backup->snapshot_names.end(), stray.facts.name) > 0;
  const Mono end = stray.captured_at + kTogether;
  if (listed && now < end) return plan_together(stray, end);
  return act(StrayPlan::Action::kJudge, at_rest(stray));
}

}  // namespace

StrayPlan plan_stray(const Stray& stray, Mono now) {
  if (!stray.facts.consistency.empty()) return plan_backup(stray, now);
  if (stray.facts.epoch == freeze::kEpochOffline) return plan_offline(stray, now);
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
