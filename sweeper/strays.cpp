#include "sweeper/strays.h"

#include <algorithm>
#include <map>

#include "freeze/names.h"

namespace snapfreeze::sweeper {
namespace {

using freeze::Consistency;
using freeze::crash;
using freeze::is_crash;
using freeze::Verdict;
namespace reason = freeze::reason;

// A guest may have frozen so long before we saw it report so: a watch can be silent for 75 s before it is given up,
// and virt-handler polls every 5 s.
constexpr std::chrono::seconds kSilence{90};
// The disks of an offline backup are judged together, if they are captured about together.
constexpr std::chrono::seconds kTogether{2};
// Harvester writes down what became of its freeze: once virt-api has given up on it, at the latest.
constexpr std::chrono::seconds kAfterTheFreeze{15};
// Harvester may ask twice for a disk, and nothing tells of the second call. If that is carried out so late, a thaw of
// ours may have come before it. If it also fails half-way, or has no timer, it lasts.
constexpr auto kComesLate = freeze::kLateCalls + kSilence;
// Others set timers of up to five minutes. A freeze that lasts for longer than this was left behind.
constexpr std::chrono::minutes kLongestOfOthers{10};

StrayPlan act(StrayPlan::Action action, Verdict verdict = {}) {
  return {action, Mono::max(), verdict, {}};
}

StrayPlan hold_off(Mono until = Mono::max()) {
  return {StrayPlan::Action::kWait, until, {}, {}};
}

// What an offline snapshot is worth by what we have seen ourselves; nullopt: not captured yet. Its annotations count
// only against it.
std::optional<Verdict> judge_offline(const Evidence& evidence) {
  if (is_crash(evidence.facts.verdict)) return evidence.facts.verdict;
  if (evidence.judged) return evidence.judged;
  if (!evidence.captured) return std::nullopt;
  if (evidence.vmi_seen) return crash(reason::kStarted);
  if (!evidence.watched || evidence.facts.vm.empty()) return crash(reason::kUnverified);
  return Verdict{Consistency::kOffline};
}

bool is_offline(const SnapshotFacts& facts) {
  return facts.epoch == freeze::kEpochOffline;
}

// Of those for which `holds`, one speaks for all: the first one.
template <class Holds>
bool speaks(const Stray& stray, const Holds& holds) {
  const auto first = std::find_if(stray.members.begin(), stray.members.end(), holds);
  return first != stray.members.end() && first->facts.uid == stray.own.facts.uid;
}

// Nobody but the snapshot itself says what a labelled backup is worth, and a session has said it of its own.
StrayPlan plan_labelled(const Stray& stray, Mono now) {
  const SnapshotFacts& facts = stray.own.facts;
  const bool without_session =
      facts.epoch == freeze::kEpochNone || is_offline(facts) || facts.verdict == crash(reason::kSessionLost);
  const bool told = stray.told && now < *stray.told + kSameLabel;
  if (!stray.fresh || told || !without_session) return act(StrayPlan::Action::kForget);
  return act(StrayPlan::Action::kTell, is_crash(facts.verdict) ? *facts.verdict : Verdict{Consistency::kOffline});
}

// The snapshot is crash; so is its backup.
StrayPlan plan_crash(const Stray& stray, Mono now) {
  if (!stray.backup) {
    const Mono end_of_grace = stray.since + kStrayGrace;
    return stray.fresh && now < end_of_grace ? hold_off(end_of_grace) : act(StrayPlan::Action::kForget);
  }
  if (is_crash(stray.backup->verdict)) return act(StrayPlan::Action::kForget);
  if (!speaks(stray, [](const Evidence& member) { return is_crash(member.facts.verdict); })) return hold_off();
  return act(StrayPlan::Action::kJudgeBackup, *stray.own.facts.verdict);
}

// All disks of an offline backup, when each of them is there, offline and captured. nullopt: not so.
std::optional<StrayPlan> plan_whole_backup(const Stray& stray) {
  const auto& names = stray.backup->snapshot_names;
  StrayPlan plan = act(StrayPlan::Action::kJudge);
  for (const std::string& name : names) {
    const auto member = std::find_if(stray.members.begin(), stray.members.end(),
                                     [&](const Evidence& evidence) { return evidence.facts.name == name; });
    if (member == stray.members.end() || !is_offline(member->facts)) return std::nullopt;
    const auto verdict = judge_offline(*member);
    if (!verdict) return std::nullopt;
    plan.snapshots.push_back({member->facts, *verdict, member->judged.has_value(), member->first_version});
  }
  return plan;
}

StrayPlan plan_offline(const Stray& stray, Mono now) {
  const bool judged = stray.own.facts.verdict.has_value();
  const bool backup_waits = stray.backup && !stray.backup->verdict;
  // Also if no object says any more that it was captured.
  if (judged && !backup_waits) return act(StrayPlan::Action::kForget);
  const auto verdict = judge_offline(stray.own);
  if (!verdict) return hold_off();
  if (backup_waits) {
    if (auto plan = plan_whole_backup(stray)) {
      return speaks(stray, [](const Evidence&) { return true; }) ? *plan : hold_off();
    }
    if (judged) return hold_off();
    // Together they cost one look; but the last ones may be slow, or never come.
    const Mono alone = stray.own.captured.value_or(now) + kTogether;
    if (verdict->consistency == Consistency::kOffline && now < alone) return hold_off(alone);
  }
  StrayPlan plan = act(StrayPlan::Action::kJudge);
  plan.snapshots.push_back({stray.own.facts, *verdict, stray.own.judged.has_value(), stray.own.first_version});
  return plan;
}

// It may have been frozen since then, unseen.
Mono first_frozen(const FrozenGuest& guest) {
  return guest.since - guest.mute;
}

// What Harvester did at `when` may be why the guest was seen to freeze, up to `later` afterwards.
bool is_about(Mono when, const FrozenGuest& guest, Millis later) {
  return when >= first_frozen(guest) - later && when <= guest.since + kAfterTheFreeze;
}

// Complete already when we first saw it, and its freeze without a timer is in force until somebody thaws the guest.
bool left_endless_freeze(const BackupRecord& backup, Wall bound) {
  const BackupFacts& facts = backup.facts;
  return facts.complete && !backup.completed && backup.endless && facts.created &&
         bound - *facts.created < BackupRecord::kKept;
}

bool may_have_frozen(const BackupRecord& backup, const FrozenGuest& guest, Wall bound) {
  // If nobody saw the guest freeze, it cannot be told who froze it; a guest that stays frozen is worse.
  const Mono first = first_frozen(guest);
  const bool was_unfinished = !backup.facts.complete || (backup.completed && *backup.completed >= first);
  if (!guest.freeze_seen && (was_unfinished || left_endless_freeze(backup, bound))) return true;
  // A freeze that failed may be carried out late, also after a thaw of ours.
  if (backup.failed && is_about(*backup.failed, guest, kComesLate)) return true;
  const auto froze_about = [&](Mono act) {
    const bool thawed_since = guest.thawed && act <= *guest.thawed;
    return !thawed_since && is_about(act, guest, kSilence);
  };
  // For that disk Harvester froze the guest before, and nothing told of it then.
  const auto& cut = backup.cut_without_us;
  if (cut && (*cut >= first || froze_about(*cut))) return true;
  return std::any_of(backup.acts.begin(), backup.acts.end(), froze_about);
}

// For so long it must have been frozen before it is rescued from that backup; nullopt: it is not.
std::optional<Millis> patience_with(const BackupRecord& backup, const FrozenGuest& guest, Wall bound,
                                    const freeze::Policy& policy) {
  if (!backup.froze) return std::nullopt;
  if (may_have_frozen(backup, guest, bound)) return policy.max_timer;
  const bool may_be_late =
      std::any_of(backup.acts.begin(), backup.acts.end(), [&](Mono act) { return is_about(act, guest, kComesLate); });
  return may_be_late ? std::optional<Millis>(kLongestOfOthers) : std::nullopt;
}

}  // namespace

StrayPlan plan_stray(const Stray& stray, Mono now) {
  const SnapshotFacts& facts = stray.own.facts;
  if (stray.planted) return act(StrayPlan::Action::kForget);
  const bool labelled = facts.hold && facts.hold->kind == freeze::Hold::Kind::kLabel;
  // Of an offline one only what we have found ourselves: an annotation may be anybody's.
  const bool judged = is_offline(facts) ? stray.own.judged.has_value() : facts.verdict.has_value();
  if (labelled && (judged || is_crash(facts.verdict))) return plan_labelled(stray, now);
  if (is_crash(facts.verdict)) return plan_crash(stray, now);
  if (is_offline(facts)) return plan_offline(stray, now);
  // A disk of a session that has ended: its backup was judged before.
  if (facts.verdict.has_value()) return act(StrayPlan::Action::kForget);
  const Mono end_of_grace = stray.since + kStrayGrace;
  return now < end_of_grace ? hold_off(end_of_grace) : act(StrayPlan::Action::kJudgeLost);
}

RescuePlan plan_rescue(const FrozenGuest& guest, Observed now, const freeze::Policy& policy) {
  RescuePlan plan;
  if (!guest.vmi.running || guest.vmi.deleting || guest.kubevirt_snapshot) return plan;
  Millis least = Millis::max();
  for (const BackupRecord& backup : guest.backups) {
    const auto patience = patience_with(backup, guest, now.bound, policy);
    if (!patience || *patience > least) continue;
    plan.backup = backup.facts;
    least = *patience;
  }
  if (!plan.backup) return plan;
  const Mono due = guest.since + least;
  plan.rescue = now.at > due;
  if (!plan.rescue) plan.wake = due + Millis(1);
  return plan;
}

}  // namespace snapfreeze::sweeper
