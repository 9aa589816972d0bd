#include "sweeper/ledger.h"

#include <algorithm>

#include "sweeper/strays.h"

namespace snapfreeze::sweeper {
namespace {

using freeze::Phase;
using freeze::Session;
using About = Job::Key::About;

constexpr std::chrono::seconds kRescueAgain{30};
// With the backoff, an hour of failures.
constexpr int kMostTries = 120;

void failed(Progress& progress, Mono now) {
  ++progress.failures;
  progress.not_before = now + backoff(progress.failures);
  if (!progress.failing_since) progress.failing_since = now;
}

}  // namespace

void Ledger::on_change(const Change& change, Observed now) {
  take(world_.apply(change, now), now.at);
}

void Ledger::cut_live(const std::string& snapshot_uid, const LiveCut& live) {
  take(world_.cut_live(snapshot_uid, live), live.seen.at);
}

void Ledger::take(const News& news, Mono now) {
  for (const Session& session : news.deleted) somebody_deleted(session, now);
  for (const std::string& uid : news.sessions) touch({About::kSession, uid});
  for (const std::string& uid : news.strays) look_at_stray(uid, now);
  if (!rescue_) return;
  for (const std::string& guest : news.guests) touch({About::kFrozenGuest, guest});
}

bool Ledger::busy(const Key& key) const {
  const auto found = attempts_.find(key);
  return found != attempts_.end() && found->second.busy;
}

void Ledger::touch(const Key& key) {
  if (!busy(key)) agenda_.set(key, Mono::min());
}

// Later than now in any case, or whoever pops what is due would go round in circles.
void Ledger::wake_at(const Key& key, Mono when, Mono now) {
  agenda_.set(key, std::max(when, now + Millis(1)));
}

bool Ledger::idle() const {
  return std::none_of(attempts_.begin(), attempts_.end(), [](const auto& item) { return item.second.busy; });
}

int Ledger::failures(const Key& key) const {
  const auto found = attempts_.find(key);
  return found == attempts_.end() ? 0 : found->second.failures;
}

// What needs nothing more is forgotten at once.
void Ledger::look_at_stray(const std::string& uid, Mono now) {
  const Key key{About::kSnapshot, uid};
  if (!world_.synced(Kind::kSession) || !world_.synced(Kind::kBackup)) return;
  const auto stray = world_.stray(uid);
  if (stray && plan_stray(*stray, now).action != StrayPlan::Action::kForget) {
    touch(key);
    return;
  }
  if (stray) world_.forget(uid);
  agenda_.erase(key);
}

// What only a leader may do is not put on the agenda again, or it would be due at once for ever.
void Ledger::forget_if_finished(const Key& snapshot, Mono now) {
  const auto stray = world_.stray(snapshot.id);
  if (!stray) return;
  const StrayPlan plan = plan_stray(*stray, now);
  // Whoever leads says it.
  const bool finished = plan.action == StrayPlan::Action::kForget || plan.action == StrayPlan::Action::kTell;
  if (finished) world_.forget(snapshot.id);
  if (plan.action == StrayPlan::Action::kWait && plan.wake > now) wake_at(snapshot, plan.wake, now);
}

void Ledger::forget_session(const std::string& uid) {
  progress_.erase(uid);
  attempts_.erase({About::kSession, uid});
  looks_.forget(uid);
}

void Ledger::forget_snapshot(const Key& key) {
  world_.forget(key.id);
  attempts_.erase(key);
}

void Ledger::clean_up(Observed now) {
  if (now.bound != Wall::max()) world_.forget_old_backups(now.bound, now.at);
  std::erase_if(progress_, [&](const auto& item) { return !world_.situation(item.first); });
  std::erase_if(attempts_, [](const auto& item) { return !item.second.busy && item.second.failures == 0; });
}

void Ledger::begin_to_lead(Mono now) {
  for (auto& [uid, progress] : progress_) {
    Progress kept;
    kept.unsettled = progress.unsettled;
    kept.doubts = std::move(progress.doubts);
    kept.sent = std::move(progress.sent);
    progress = std::move(kept);
  }
  looks_.clear();
  judging_.clear();
  take(world_.touch_all(), now);
  for (const auto& [guest, lost] : lost_) touch({About::kLostSession, guest});
}

void Ledger::done(const Outcome& outcome, Mono now) {
  const Key& key = outcome.key;
  attempts_[key].busy = false;
  agenda_.set(key, Mono::min());
  if (const auto* thawed = std::get_if<ThawDone>(&outcome.what)) done(key.id, *thawed, now);
  if (const auto* armed = std::get_if<ArmDone>(&outcome.what)) done(key.id, *armed, now);
  if (const auto* concluded = std::get_if<ConcludeDone>(&outcome.what)) done(key.id, *concluded, now);
  if (const auto* rested = std::get_if<EndRestDone>(&outcome.what)) done(key.id, *rested, now);
  if (const auto* opened = std::get_if<OpenDone>(&outcome.what)) done(key, *opened, now);
  if (const auto* judged = std::get_if<StrayDone>(&outcome.what)) done(key, *judged, now);
  if (const auto* look = std::get_if<std::shared_ptr<const Look>>(&outcome.what)) {
    for (const std::string& uid : looks_.done(key.id, *look)) touch({About::kSession, uid});
  }
}

void Ledger::replan(const std::string& uid, const Session& session, bool gone, Mono now) {
  Progress& progress = progress_[uid];
  // Whoever has written it may have thawed the guest before Longhorn said so.
  progress.unproven.clear();
  // Once at once; but who loses every race must not spin.
  if (++progress.failures > 1) progress.not_before = now + backoff(progress.failures);
  if (!gone) return take(world_.read_afresh(session, now), now);
  const auto situation = world_.situation(uid);
  take(world_.ended(uid, now), now);
  if (situation) somebody_deleted(situation->session, now);
}

// A guest may be frozen whose record is gone, or a call may yet come late. The session may also have lost its label
// only. A job of ours may have ended it, whose reply is slower than the watch.
void Ledger::somebody_deleted(const Session& session, Mono now) {
  const auto progress = progress_.find(session.uid);
  const bool not_thawed = progress != progress_.end() && progress->second.failing_since && !progress->second.thawed;
  const bool is_frozen = freeze::holds_guest(session.phase) || (session.phase == Phase::kThawing && not_thawed);
  if (!is_frozen && !freeze::releases_guest(session.phase)) return;
  std::erase_if(lost_, [&](const auto& item) { return item.second.over(now); });
  const std::string guest = guest_key(session.namespace_, session.vm);
  const bool unsettled = session.unsettled || (progress != progress_.end() && progress->second.unsettled);
  lost_[guest] = {session, now, is_frozen, unsettled};
  const Key key{About::kLostSession, guest};
  const bool may_be_ours = !is_frozen && busy({About::kSession, session.uid});
  may_be_ours ? wake_at(key, now + kStrayGrace, now) : touch(key);
}

// What the call came to that was under way when somebody deleted the session.
void Ledger::note_if_lost(const Session& session, bool held) {
  const auto found = lost_.find(guest_key(session.namespace_, session.vm));
  if (found == lost_.end() || found->second.session.uid != session.uid) return;
  Lost& lost = found->second;
  lost.held = lost.held || held;
  lost.unsettled = lost.unsettled || session.unsettled;
  touch({About::kLostSession, found->first});
}

void Ledger::ended(const std::string& uid, Mono now) {
  std::erase_if(lost_, [&](const auto& item) { return item.second.session.uid == uid; });
  take(world_.ended(uid, now), now);
}

// Over: its own timer has thawed the guest, or another sweeper or a new session has it.
const Ledger::Lost* Ledger::lost(const std::string& guest, Mono now) {
  const auto found = lost_.find(guest);
  if (found == lost_.end()) return nullptr;
  const Lost& lost = found->second;
  const bool over = lost.over(now);
  if (!over && !world_.has_session(guest)) return &lost;
  // A call of the deleted one may reach the guest while the new one holds it.
  if (!over && lost.unsettled) {
    for (const std::string& uid : world_.sessions_of(guest)) {
      if (uid != lost.session.uid) progress_[uid].doubts.push_back(freeze::reason::kThawUnsettled);
    }
  }
  lost_.erase(found);
  return nullptr;
}

void Ledger::done(const std::string& uid, const ThawDone& done, Mono now) {
  using End = ThawDone::End;
  if (done.end == End::kReplan) {
    replan(uid, done.session, done.gone, now);
    return note_if_lost(done.session, true);
  }
  note_if_lost(done.session, done.end != End::kSettled);
  const auto before = world_.situation(uid);
  Progress& progress = progress_[uid];
  if (done.end != End::kNotMade) progress.armed_until.reset();
  if (done.end == End::kUnrecorded) {
    progress.sent = done.session.captured;
    progress.doubts = done.session.doubts;
    progress.unsettled = done.session.unsettled;
    return failed(progress, now);
  }
  take(world_.wrote(done.session, now), now);
  if (done.end == End::kNotMade) return failed(progress, now);
  progress.doubts = done.session.doubts;
  progress.unsettled = done.session.unsettled;
  if (done.end != End::kSettled) return failed(progress, now);
  progress.thawed = true;
  progress.lease_unsettled = done.session.unsettled || (before && before->session.unsettled);
  const bool migrates = before && before->guest.migrating;
  const bool for_ever = progress.migrating_since && now >= *progress.migrating_since + kGiveUp;
  progress.migrating_since =
      migrates && !for_ever ? std::optional(progress.migrating_since.value_or(now)) : std::nullopt;
  progress.frozen_for = done.frozen_for;
  progress.failures = 0;
  progress.failing_since.reset();
}

void Ledger::done(const std::string& uid, const ArmDone& done, Mono now) {
  using End = ArmDone::End;
  if (done.end == End::kReplan) {
    // No failure of the thaw's, unless there is nothing left to thaw.
    return done.gone ? replan(uid, done.session, true, now) : take(world_.read_afresh(done.session, now), now);
  }
  if (done.end != End::kArmed) return;
  progress_[uid].armed_until = done.until;
  take(world_.wrote(done.session, now), now);
}

void Ledger::done(const std::string& uid, const ConcludeDone& done, Mono now) {
  using End = ConcludeDone::End;
  for (const auto& [snapshot, verdict] : done.snapshots) take(world_.judged(snapshot, verdict), now);
  for (const auto& [backup, verdict] : done.backups) take(world_.judged_backup(backup, verdict), now);
  Progress& progress = progress_[uid];
  if (done.look_failed) ++progress.failed_looks;
  // One that served stays good when only a write failed.
  if (done.look_failed || done.end != End::kFailed) looks_.forget(uid);
  switch (done.end) {
    case End::kEnded:
      return ended(uid, now);
    case End::kResting:
      progress = {};
      return take(world_.wrote(done.session, now), now);
    case End::kFailed:
      // What was confirmed may be in the Lease by now.
      take(world_.wrote(done.session, now), now);
      return failed(progress, now);
    case End::kReplan:
      return replan(uid, done.session, done.gone, now);
  }
}

void Ledger::done(const std::string& uid, const EndRestDone& done, Mono now) {
  using End = EndRestDone::End;
  note_if_lost(done.session, false);
  Progress& progress = progress_[uid];
  switch (done.end) {
    case End::kEnded:
      return ended(uid, now);
    case End::kUnsettled:
      failed(progress, now);
      progress.not_before = now + freeze::kLateCalls;
      return take(world_.wrote(done.session, now), now);
    case End::kFailed:
      failed(progress, now);
      return take(world_.wrote(done.session, now), now);
    case End::kReplan:
      return replan(uid, done.session, done.gone, now);
  }
}

void Ledger::done(const Key& key, const OpenDone& done, Mono now) {
  Attempts& attempts = attempts_[key];
  attempts.failures = done.failed ? attempts.failures + 1 : 0;
  // The watch is yet to show the session; until then this would begin it again.
  agenda_.set(key, now + (done.failed ? backoff(attempts.failures) : Millis(kRescueAgain)));
}

void Ledger::done(const Key& key, const StrayDone& done, Mono now) {
  using End = StrayDone::End;
  Attempts& attempts = attempts_[key];
  attempts.failures = done.end == End::kFailed ? attempts.failures + 1 : 0;
  for (const auto& [snapshot, verdict] : done.snapshots) take(world_.judged(snapshot, verdict), now);
  if (done.backup) take(world_.judged_backup(done.backup_uid, *done.backup), now);
  judging_.erase(done.backup_uid);
  switch (done.end) {
    case End::kJudged:
      if (done.told) world_.forget(key.id);
      return;
    case End::kAlive:
      agenda_.set(key, now + kStrayGrace);
      return;
    case End::kGone:
      return world_.forget(key.id);
    case End::kFailed:
      // Some verdicts can never be written, as a policy or the object's size forbids it.
      if (attempts.failures >= kMostTries) return world_.forget(key.id);
      agenda_.set(key, now + backoff(attempts.failures));
  }
}

}  // namespace snapfreeze::sweeper
