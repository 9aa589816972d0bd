// Sweeper: what follows from what became of a job.
#include <algorithm>

#include "sweeper/sweeper.h"

namespace snapfreeze::sweeper {
namespace {

using freeze::Phase;
using freeze::Session;

constexpr std::chrono::seconds kRescueAgain{30};

}  // namespace

void Sweeper::done(const Outcome& outcome) {
  const Key& key = outcome.key;
  Attempts& attempts = attempts_[key];
  attempts.busy = false;
  agenda_.set(key, Mono::min());
  const Mono now = seams_.clock.monotonic();
  if (const auto* thawed = std::get_if<ThawDone>(&outcome.what)) done(key.id, *thawed);
  if (const auto* concluded = std::get_if<ConcludeDone>(&outcome.what)) done(key.id, *concluded);
  if (const auto* rested = std::get_if<EndRestDone>(&outcome.what)) done(key.id, *rested);
  if (const auto* opened = std::get_if<OpenDone>(&outcome.what)) {
    attempts.failures = opened->failed ? attempts.failures + 1 : 0;
    // The watch is yet to show the session; until then this would begin it again.
    agenda_.set(key, now + (opened->failed ? backoff(attempts.failures) : Millis(kRescueAgain)));
  }
  if (const auto* judged = std::get_if<StrayDone>(&outcome.what)) done(key, *judged);
}

void Sweeper::failed(Progress& progress) const {
  const Mono now = seams_.clock.monotonic();
  ++progress.failures;
  progress.not_before = now + backoff(progress.failures);
  if (!progress.failing_since) progress.failing_since = now;
}

void Sweeper::replan(const std::string& uid, const Session& now, bool gone) {
  Progress& progress = progress_[uid];
  // Once at once; but who loses every race must not spin.
  if (++progress.failures > 1) progress.not_before = seams_.clock.monotonic() + backoff(progress.failures);
  if (!gone) return take(world_.read_afresh(now, seams_.clock.monotonic()));
  const auto situation = world_.situation(uid);
  take(world_.ended(uid, seams_.clock.monotonic()));
  if (situation) somebody_deleted(situation->session);
}

// A guest may be frozen whose record is gone. In Thawing it was another leader who ended it, unless we know better.
void Sweeper::somebody_deleted(const Session& session) {
  const auto progress = progress_.find(session.uid);
  const bool not_thawed = progress != progress_.end() && progress->second.failing_since && !progress->second.thawed;
  const bool held = session.phase == Phase::kFreezing || session.phase == Phase::kFrozen;
  if (!held && !(session.phase == Phase::kThawing && not_thawed)) return;
  const Mono now = seams_.clock.monotonic();
  std::erase_if(lost_, [&](const auto& item) {
    return now >= item.second.since + item.second.session.timer + freeze::kLateCalls;
  });
  const std::string guest = guest_key(session.namespace_, session.vm);
  lost_[guest] = {session, now};
  touch({About::kLostSession, guest});
}

void Sweeper::done(const std::string& uid, const ThawDone& done) {
  using End = ThawDone::End;
  if (done.end == End::kReplan) return replan(uid, done.session, done.gone);
  const auto before = world_.situation(uid);
  take(world_.wrote(done.session, seams_.clock.monotonic()));
  Progress& progress = progress_[uid];
  if (done.end == End::kNotMade) return failed(progress);
  progress.doubts = done.session.doubts;
  progress.unsettled = done.session.unsettled;
  if (done.end != End::kSettled) return failed(progress);
  progress.thawed = true;
  progress.lease_unsettled = done.session.unsettled || (before && before->session.unsettled);
  progress.migrating = before && before->guest.migrating;
  progress.frozen_for = done.frozen_for;
  progress.failures = 0;
  progress.failing_since.reset();
}

void Sweeper::done(const std::string& uid, const ConcludeDone& done) {
  using End = ConcludeDone::End;
  for (const auto& [snapshot, verdict] : done.snapshots) take(world_.judged(snapshot, verdict));
  for (const auto& [backup, verdict] : done.backups) take(world_.judged_backup(backup, verdict));
  Progress& progress = progress_[uid];
  if (done.look_failed) ++progress.failed_looks;
  switch (done.end) {
    case End::kEnded:
      return take(world_.ended(uid, seams_.clock.monotonic()));
    case End::kResting:
      progress = {};
      return take(world_.wrote(done.session, seams_.clock.monotonic()));
    case End::kFailed:
      return failed(progress);
    case End::kReplan:
      return replan(uid, done.session, done.gone);
  }
}

void Sweeper::done(const std::string& uid, const EndRestDone& done) {
  using End = EndRestDone::End;
  Progress& progress = progress_[uid];
  switch (done.end) {
    case End::kEnded:
      return take(world_.ended(uid, seams_.clock.monotonic()));
    case End::kUnsettled:
      failed(progress);
      progress.not_before = seams_.clock.monotonic() + freeze::kLateCalls;
      return take(world_.wrote(done.session, seams_.clock.monotonic()));
    case End::kFailed:
      failed(progress);
      return take(world_.wrote(done.session, seams_.clock.monotonic()));
    case End::kReplan:
      return replan(uid, done.session, done.gone);
  }
}

void Sweeper::done(const Key& key, const StrayDone& done) {
  using End = StrayDone::End;
  Attempts& attempts = attempts_[key];
  attempts.failures = done.end == End::kFailed ? attempts.failures + 1 : 0;
  const Mono now = seams_.clock.monotonic();
  for (const auto& [snapshot, verdict] : done.snapshots) take(world_.judged(snapshot, verdict));
  if (done.backup) take(world_.judged_backup(done.backup->first, done.backup->second));
  switch (done.end) {
    case End::kJudged:
      return;
    case End::kAlive:
      agenda_.set(key, now + kStrayGrace);
      return;
    case End::kGone:
      return world_.forget(key.id);
    case End::kFailed:
      agenda_.set(key, now + backoff(attempts.failures));
  }
}

}  // namespace snapfreeze::sweeper
