#include "sweeper/make_jobs.h"

#include "freeze/names.h"

namespace snapfreeze::sweeper {
namespace {

using freeze::Intent;
using freeze::Phase;
using freeze::Session;
namespace reason = freeze::reason;

freeze::Freezer as_freezer(const BackupFacts& backup) {
  freeze::Freezer freezer;
  freezer.name = backup.name;
  freezer.uid = backup.uid;
  freezer.vm = backup.vm;
  freezer.created = backup.created;
  freezer.over = backup.complete;
  freezer.deadline = backup.deadline;
  freezer.snapshots = backup.snapshot_names;
  freezer.froze = backup.harvester_froze;
  freezer.changed = backup.error_time;
  return freezer;
}

const char* name_of(Captures::Source source) {
  switch (source) {
    case Captures::Source::kLonghorn:
      return "longhorn";
    case Captures::Source::kContent:
      return "content";
    case Captures::Source::kSnapshot:
      break;
  }
  return "snapshot";
}

}  // namespace

ThawJob thaw_job(const Situation& situation, const Plan& plan, const Progress& progress, const std::string& identity) {
  ThawJob job;
  job.session = situation.session;
  const bool begins = situation.session.phase != Phase::kThawing;
  job.armed_until = plan.armed_until;
  job.was_sent = begins && progress.sent;
  if (begins) job.session.captured = plan.captured;
  job.session.phase = Phase::kThawing;
  job.session.intent = {Intent::Call::kUnfreeze, identity};
  job.session.unsettled = job.session.unsettled || plan.unsettled || progress.unsettled;
  for (const freeze::Reason doubt : plan.doubts) job.session.doubt(doubt);
  for (const freeze::Reason doubt : progress.doubts) job.session.doubt(doubt);
  job.guest_gone = plan.guest_gone;
  job.look_first = plan.look_first;
  job.completed = plan.completed;
  for (const Member& member : situation.members) {
    if (begins && !job.was_sent && member.cut())
      job.sources.push_back(member.live ? "longhorn-live" : name_of(member.source));
  }
  const Sightings& seen = situation.sightings;
  if (seen.from_birth) job.frozen_since = seen.frozen_since.value_or(seen.first_seen);
  return job;
}

ArmJob arm_job(const Situation& situation, const Plan& plan, const std::string& identity) {
  ArmJob job{situation.session};
  job.session.phase = Phase::kArmed;
  job.session.intent = {Intent::Call::kUnfreeze, identity, plan.arm_after};
  return job;
}

ConcludeJob conclude_job(const Situation& situation, const Progress& progress, Mono now) {
  ConcludeJob job;
  job.session = situation.session;
  job.session.unsettled = progress.unsettled;
  for (const freeze::Reason doubt : progress.doubts) job.session.doubt(doubt);
  job.holds = situation.holds;
  job.members = situation.members;
  for (Member& member : job.members) {
    const auto unproven = progress.unproven.find(member.uid);
    const bool on_record = job.session.captured.contains(member.uid);
    if (unproven == progress.unproven.end() || on_record) continue;
    member.not_confirmed = member.confirmed != Confirmed::kYes;
    if (member.not_confirmed) continue;
    job.session.captured[member.uid] = unproven->second.after;
    job.confirmed_after.push_back(std::max(Mono::duration::zero(), member.captured->at - unproven->second.at));
  }
  job.migration_uid = situation.sightings.migration_uid;
  job.guest_told_until = situation.sightings.told_until;
  for (const BackupFacts& backup : situation.backups) {
    job.seen_backups.push_back(as_freezer(backup));
    job.seen_backups.back().created_later = situation.created_later.contains(backup.uid);
  }
  job.frozen_for = progress.frozen_for;
  job.failed_looks = progress.failed_looks;
  job.patient = progress.failures < kMaxLooks;
  job.last_try = given_up(progress, now);
  job.abandoned = !progress.thawed;
  return job;
}

EndRestJob end_rest_job(const Situation& situation, bool abandoned, const std::string& identity) {
  EndRestJob job{situation.session, abandoned};
  job.session.intent = {Intent::Call::kUnfreeze, identity};
  return job;
}

OpenJob reopen_job(const Session& lost, const std::string& identity) {
  OpenJob job;
  job.session.namespace_ = lost.namespace_;
  job.session.vm = lost.vm;
  job.session.vmi_uid = lost.vmi_uid;
  job.session.windows = lost.windows;
  job.session.timer = lost.timer;
  job.session.holder = identity;
  job.session.phase = Phase::kThawing;
  job.session.holds = lost.holds;
  job.session.unsettled = true;
  // One that rested has given its verdicts.
  job.session.doubt(lost.phase == Phase::kResting ? reason::kUndone : reason::kSessionLost);
  return job;
}

OpenJob rescue_job(const FrozenGuest& guest, const BackupFacts& backup, const Settings& settings, Wall bound) {
  OpenJob job;
  job.kind = OpenJob::Kind::kRescue;
  job.thaw_due = bound - freeze::kLateCalls;
  job.session.namespace_ = guest.vmi.namespace_;
  job.session.vm = guest.vmi.name;
  job.session.vmi_uid = guest.vmi.uid;
  job.session.timer = settings.policy.max_timer;
  job.session.holder = settings.identity;
  job.session.phase = Phase::kThawing;
  job.session.holds = {{freeze::Hold::Kind::kHarvester, backup.name, backup.uid, 0}};
  job.session.doubt(reason::kRescued);
  return job;
}

}  // namespace snapfreeze::sweeper
