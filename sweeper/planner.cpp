#include "sweeper/planner.h"

#include <algorithm>

#include "freeze/names.h"
#include "sweeper/arming.h"
#include "sweeper/hold_plan.h"

namespace snapfreeze::sweeper {
namespace {

using freeze::Intent;
using freeze::Phase;
using freeze::Policy;
using freeze::Session;
namespace reason = freeze::reason;

constexpr Millis kFirstBackoff{200};
constexpr Millis kLongestBackoff{30000};

// When the upper bound of the server's clock reaches `at`. A bound that is not known yet counts as reached.
Mono when_bound_reaches(Wall at, Wall bound, Mono now) {
  if (bound == Wall::max() || bound >= at) return now;
  return now + (at - bound);
}

Plan wait(Mono until) {
  Plan plan;
  plan.wake = until;
  return plan;
}

Plan act(Plan::Action action) {
  Plan plan;
  plan.action = action;
  return plan;
}

// From the session's creation to the capture: the later time by the server's clock and by ours, as either alone may
// have been stepped, or be late. Rounded up, because it is a bound.
Millis bound_of(const Situation& situation, const Observed& cut) {
  const auto by_server = cut.for_age(*situation.session.created) - *situation.session.created;
  const auto by_us = cut.at - situation.sightings.first_seen;
  return std::chrono::ceil<Millis>(std::max<Wall::duration>(by_server, by_us));
}

// Fills in what the Lease will say from now on, and what was seen so far.
Plan begin_thaw(const Situation& situation, Observed now) {
  const Sightings& seen = situation.sightings;
  Plan plan = act(Plan::Action::kThaw);
  if (seen.lapsed) plan.doubts.push_back(reason::kLapsed);
  if (seen.agent_lost) plan.doubts.push_back(reason::kAgentLost);
  if (seen.migrated) plan.doubts.push_back(reason::kMigrated);
  if (seen.kubevirt_snapshot) plan.doubts.push_back(reason::kKubevirtSnapshot);
  bool claims = false;
  for (const Member& member : situation.members) {
    const auto proven = member.proven_cut();
    const auto cut = proven ? proven : member.cut();
    if (!cut || !situation.session.created || !situation.session.may_have_disk(member.claim)) continue;
    const Millis after = bound_of(situation, *cut);
    if (proven) {
      plan.captured[member.uid] = after;
    } else {
      plan.unproven[member.uid] = {after, cut->at};
    }
    claims = claims || after < situation.session.timer;
  }
  // Only the guest itself can tell what happened before we started. A server's clock that has gone back since then
  // bounds nothing.
  const Session& session = situation.session;
  const bool went_back = session.frozen_by && now.for_age(*session.frozen_by) < *session.frozen_by;
  const bool knows_all = seen.from_birth || (seen.reported_frozen && !went_back);
  // A restored etcd takes a session back, not the thaw.
  if (claims && seen.released) plan.doubts.push_back(reason::kUnverified);
  if (claims && !knows_all && plan.doubts.empty()) plan.doubts.push_back(reason::kUnverified);
  plan.look_first = claims && seen.frozen_since && now.at >= *seen.frozen_since + kTwoPolls;
  return plan;
}

bool guest_gone(const Situation& situation, Mono now) {
  const GuestSituation& guest = situation.guest;
  if (!guest.known || !guest.gone) return false;
  return situation.sightings.vmi_seen || now >= situation.sightings.first_seen + kWatchLag;
}

// From then on no capture could count, by the clock that reaches it first.
Mono deadline_of(const Situation& situation, Observed now, const Policy& policy) {
  const Session& session = situation.session;
  const Mono ours = situation.sightings.first_seen + session.timer - policy.margin;
  if (!session.created || now.bound == Wall::max()) return ours;
  const Wall due = *session.created + session.timer - policy.margin;
  return std::min(ours, when_bound_reaches(due, now.for_age(*session.created), now.at));
}

// From then on a frozen guest reports that it is frozen.
Mono report_due(const Situation& situation, Mono now) {
  return situation.sightings.frozen_since.value_or(now) + kTwoPolls;
}

Plan thaw_for(const Situation& situation, Observed now, freeze::Reason doubt) {
  Plan plan = begin_thaw(situation, now);
  plan.doubts.insert(plan.doubts.begin(), doubt);
  return plan;
}

// The thaw that is due whatever the state of the disks.
std::optional<Plan> plan_release(const Situation& situation, Observed now, const Policy& policy) {
  const Sightings& seen = situation.sightings;
  const GuestSituation& guest = situation.guest;
  if (guest_gone(situation, now.at)) {
    Plan plan = thaw_for(situation, now, reason::kRestarted);
    plan.guest_gone = true;
    return plan;
  }
  if (seen.lapsed || seen.agent_lost || seen.migrated || seen.kubevirt_snapshot) return begin_thaw(situation, now);
  if (now.at >= deadline_of(situation, now, policy)) return begin_thaw(situation, now);
  if (!guest.reported_frozen && now.at >= report_due(situation, now.at)) {
    return thaw_for(situation, now, reason::kLapsed);
  }
  // A guest that shuts down could hang on its own frozen filesystems.
  if (guest.deleting) return thaw_for(situation, now, reason::kRestarted);
  return std::nullopt;
}

// Nothing more is waited for.
Plan complete(const Situation& situation, Observed now) {
  Plan plan = begin_thaw(situation, now);
  for (const Member& member : situation.members) {
    const auto cut = member.cut();
    if (cut && (!plan.completed || cut->at > *plan.completed)) plan.completed = cut->at;
  }
  return plan;
}

Plan plan_held(const Situation& situation, Observed now, const Policy& policy) {
  if (auto release = plan_release(situation, now, policy)) return *release;
  Mono wake = deadline_of(situation, now, policy);
  if (!situation.guest.reported_frozen) wake = std::min(wake, report_due(situation, now.at));
  if (situation.guest.known && situation.guest.gone) {
    wake = std::min(wake, situation.sightings.first_seen + kWatchLag);
  }
  bool all_done = true;
  for (std::size_t i = 0; i < situation.holds.size(); ++i) {
    const HoldPlan hold = plan_hold(situation, i, now.at, policy);
    all_done = all_done && hold.done;
    if (!hold.done) wake = std::min(wake, hold.wake);
  }
  return all_done ? complete(situation, now) : wait(wake);
}

// The armed call was made, and is to be recorded. Nothing that was captured since counts, nor what was captured anew
// since etcd was restored; and nothing that was seen since is a doubt.
Plan plan_sent(const Situation& situation, const Progress& progress) {
  Plan plan = act(Plan::Action::kThaw);
  for (const Member& member : situation.members) {
    const auto sent = progress.sent->find(member.uid);
    const auto cut = member.proven_cut();
    if (sent == progress.sent->end() || !cut || !situation.session.created) continue;
    if (bound_of(situation, *cut) == sent->second) plan.captured.insert(*sent);
  }
  return plan;
}

Plan plan_frozen(const Situation& situation, const Progress& progress, Observed now, const Policy& policy) {
  if (progress.sent) return plan_sent(situation, progress);
  Plan plan = plan_held(situation, now, policy);
  if (plan.action == Plan::Action::kWait && has_all_to_claim(situation, progress)) plan = complete(situation, now);
  if (plan.action == Plan::Action::kThaw) {
    heed_arms(situation, progress, now.at, deadline_of(situation, now, policy), plan);
  } else {
    plan.arm_after = to_arm(situation, progress);
  }
  return plan;
}

Plan plan_freezing(const Situation& situation, Observed now) {
  const Mono abandoned = situation.sightings.phase_since + freeze::kLongestFreezing;
  if (now.at < abandoned) return wait(abandoned);
  Plan plan = thaw_for(situation, now, reason::kAbandoned);
  plan.unsettled = true;
  return plan;
}

// Until when an object of the API may still bear out what Longhorn said; nullopt: nothing is to be waited for.
std::optional<Mono> confirmation_due(const Situation& situation, const Progress& progress, Mono now) {
  if (!situation.session.doubts.empty() || !progress.doubts.empty()) return std::nullopt;
  std::optional<Mono> due;
  for (const Member& member : situation.members) {
    const auto unproven = progress.unproven.find(member.uid);
    if (unproven == progress.unproven.end() || member.confirmed != Confirmed::kNotYet) continue;
    const Mono until = unproven->second.at + situation.session.timer;
    if (until > now) due = std::max(due.value_or(until), until);
  }
  return due;
}

Plan plan_thawing(const Situation& situation, const Progress& progress, Mono now, const std::string& identity) {
  const Session& session = situation.session;
  if (now < progress.not_before) return wait(progress.not_before);
  if (!progress.thawed && given_up(progress, now)) return act(Plan::Action::kAbandon);
  // A migration that never ends must not keep the session.
  const bool migrates = situation.guest.known && !situation.guest.gone && situation.guest.migrating;
  if (progress.migrating_since && migrates && now < *progress.migrating_since + kGiveUp) {
    return wait(std::min(now + kLongestBackoff, *progress.migrating_since + kGiveUp));
  }
  // An admission whose freeze was answered after our thaw, or that learnt of one of Harvester's, says so in the Lease.
  const bool frozen_since =
      (session.unsettled && !progress.lease_unsettled) || session.intent.call == Intent::Call::kFreeze;
  if (progress.thawed && !progress.migrating_since && !frozen_since) {
    if (const auto due = confirmation_due(situation, progress, now)) return wait(*due);
    return act(Plan::Action::kConclude);
  }

  Plan plan = act(Plan::Action::kThaw);
  plan.guest_gone = guest_gone(situation, now);
  // Another leader's call may be carried out late, and we do not know its reply.
  if (session.intent.call == Intent::Call::kUnfreeze && session.intent.by != identity) {
    plan.unsettled = true;
    if (session.windows) plan.doubts.push_back(reason::kThawUnsettled);
  }
  return plan;
}

Plan plan_resting(const Situation& situation, const Progress& progress, Mono now, const Policy& policy) {
  auto rest = policy.cool_down;
  if (situation.session.unsettled) rest = std::max(rest, freeze::kLateCalls);
  const Mono end = std::max(situation.sightings.phase_since + rest, progress.not_before);
  if (now < end) return wait(end);
  return act(given_up(progress, now) ? Plan::Action::kAbandon : Plan::Action::kEndRest);
}

}  // namespace

bool given_up(const Progress& progress, Mono now) {
  return progress.failing_since && now >= *progress.failing_since + kGiveUp;
}

Millis backoff(int failures) {
  constexpr int kSteps = 8;  // 0.2 s * 2^8 is above the longest
  return std::min(kFirstBackoff * (1 << std::clamp(failures - 1, 0, kSteps)), kLongestBackoff);
}

Plan plan_session(const Situation& situation, const Progress& progress, Observed now, const Policy& policy,
                  const std::string& identity) {
  switch (situation.session.phase) {
    case Phase::kFreezing:
      return now.at < progress.not_before ? wait(progress.not_before) : plan_freezing(situation, now);
    case Phase::kFrozen:
    case Phase::kArmed:
      return now.at < progress.not_before ? wait(progress.not_before) : plan_frozen(situation, progress, now, policy);
    case Phase::kThawing:
      return plan_thawing(situation, progress, now.at, identity);
    case Phase::kNewer:
      return wait(Mono::max());
    case Phase::kResting:
      break;
  }
  return plan_resting(situation, progress, now.at, policy);
}

}  // namespace snapfreeze::sweeper
