#include "sweeper/sweeper.h"

#include <algorithm>

#include "freeze/names.h"

namespace snapfreeze::sweeper {
namespace {

using freeze::Intent;
using freeze::Phase;
using freeze::Session;
namespace reason = freeze::reason;

constexpr std::chrono::minutes kCleaning{10};

}  // namespace

Sweeper::Sweeper(const Seams& seams, Settings settings, Options options)
    : seams_(seams), settings_(std::move(settings)), options_(options), world_(options.thaw_on) {
  next_cleaning_ = seams_.clock.monotonic() + kCleaning;
}

Observed Sweeper::now() const {
  const Mono at = seams_.clock.monotonic();
  return {at, seams_.server_time.upper_bound(at).value_or(Wall::max())};
}

void Sweeper::on_change(const Change& change) {
  const bool knew_all = world_.synced();
  take(world_.apply(change, now()));
  // What was there before us is mostly finished.
  if (!knew_all && world_.synced()) next_cleaning_ = Mono::min();
}

void Sweeper::take(const News& news) {
  for (const Session& session : news.deleted) somebody_deleted(session);
  for (const std::string& uid : news.sessions) touch({About::kSession, uid});
  for (const std::string& uid : news.strays) look_at_stray(uid);
  if (!options_.rescue) return;
  for (const std::string& guest : news.guests) touch({About::kFrozenGuest, guest});
}

void Sweeper::touch(const Key& key) {
  const auto found = attempts_.find(key);
  const bool busy = found != attempts_.end() && found->second.busy;
  if (!busy) agenda_.set(key, Mono::min());
}

// Later than now in any case, or take_due() would go round in circles.
void Sweeper::wake_at(const Key& key, Mono when, Mono now) {
  agenda_.set(key, std::max(when, now + Millis(1)));
}

Mono Sweeper::next_wake() const {
  return std::min(agenda_.next(), next_cleaning_);
}

void Sweeper::count_sessions() {
  const auto& counts = world_.phases();
  if (counts == counted_) return;
  counted_ = counts;
  for (const auto& [phase, count] : counts) seams_.metrics.sessions(to_string(phase), count);
}

// What needs nothing more is forgotten at once, by every sweeper: there may be thousands.
void Sweeper::look_at_stray(const std::string& uid) {
  const Key key{About::kSnapshot, uid};
  if (!world_.synced(Kind::kSession) || !world_.synced(Kind::kBackup)) return;
  const auto stray = world_.stray(uid);
  if (stray && sweeper::plan_stray(*stray, seams_.clock.monotonic()).action != StrayPlan::Action::kForget) {
    touch(key);
    return;
  }
  if (stray) world_.forget(uid);
  agenda_.erase(key);
}

// What only a leader may do is not put on the agenda again, or it would be due at once for ever.
void Sweeper::forget_if_finished(const Key& key, Mono now) {
  const auto stray = world_.stray(key.id);
  if (!stray) return;
  const StrayPlan plan = sweeper::plan_stray(*stray, now);
  if (plan.action == StrayPlan::Action::kForget) world_.forget(key.id);
  if (plan.action == StrayPlan::Action::kWait && plan.wake > now) wake_at(key, plan.wake, now);
}

void Sweeper::clean_up(Observed now) {
  if (now.at < next_cleaning_) return;
  next_cleaning_ = now.at + kCleaning;
  if (now.bound != Wall::max()) world_.forget_old_backups(now.bound, now.at);
  std::erase_if(progress_, [&](const auto& item) { return !world_.situation(item.first); });
  std::erase_if(attempts_, [](const auto& item) { return !item.second.busy && item.second.failures == 0; });
}

// Another leader may have acted meanwhile: what we knew of our own calls holds, that the guest is thawed does not.
void Sweeper::begin_to_lead() {
  for (auto& [uid, progress] : progress_) {
    Progress kept;
    kept.unsettled = progress.unsettled;
    kept.doubts = std::move(progress.doubts);
    progress = std::move(kept);
  }
  take(world_.touch_all());
  for (const auto& [guest, lost] : lost_) touch({About::kLostSession, guest});
}

std::vector<Job> Sweeper::take_due() {
  std::vector<Job> jobs;
  const Observed present = now();
  clean_up(present);
  count_sessions();
  const bool led = std::exchange(leads_, world_.synced() && seams_.leadership.leads_for(Millis(0)));
  if (!leads_) {
    // Nothing is due until we lead, then everything is looked at again; but what is finished is forgotten.
    while (const auto key = agenda_.pop_due(present.at)) {
      if (key->about == About::kSnapshot) forget_if_finished(*key, present.at);
    }
    return jobs;
  }
  if (!led) begin_to_lead();
  while (const auto key = agenda_.pop_due(present.at)) {
    if (auto job = plan(*key, present)) {
      attempts_[*key].busy = true;
      jobs.push_back(std::move(*job));
    }
  }
  return jobs;
}

bool Sweeper::idle() const {
  return std::none_of(attempts_.begin(), attempts_.end(), [](const auto& item) { return item.second.busy; });
}

std::optional<Job> Sweeper::plan(const Key& key, Observed now) {
  if (winding_down_ && key.about != About::kSession) return std::nullopt;
  switch (key.about) {
    case About::kSession:
      return plan_session(key, now);
    case About::kLostSession:
      return plan_lost_session(key, now);
    case About::kSnapshot:
      return plan_stray(key, now);
    case About::kFrozenGuest:
      break;
  }
  return plan_rescue(key, now);
}

std::optional<Job> Sweeper::plan_session(const Key& key, Observed now) {
  const auto situation = world_.situation(key.id);
  if (!situation) {
    progress_.erase(key.id);
    attempts_.erase(key);
    return std::nullopt;
  }
  const Progress& progress = progress_[key.id];
  const Plan plan = sweeper::plan_session(*situation, progress, now, settings_.policy, settings_.identity);
  const bool resting = situation->session.phase == Phase::kResting;
  if (winding_down_ && plan.action != Plan::Action::kConclude) return std::nullopt;
  switch (plan.action) {
    case Plan::Action::kWait:
      wake_at(key, plan.wake, now.at);
      return std::nullopt;
    case Plan::Action::kThaw:
      return Job{key, thaw_job(*situation, plan, progress), progress.failures > 0};
    case Plan::Action::kConclude:
      return Job{key, conclude_job(*situation, progress, now.at), false};
    case Plan::Action::kEndRest:
      return Job{key, end_rest_job(*situation, false), false};
    case Plan::Action::kAbandon:
      break;
  }
  if (resting) return Job{key, end_rest_job(*situation, true), false};
  return Job{key, conclude_job(*situation, progress, now.at), false};
}

ThawJob Sweeper::thaw_job(const Situation& situation, const Plan& plan, const Progress& progress) const {
  ThawJob job;
  job.session = situation.session;
  const bool begins = situation.session.phase != Phase::kThawing;
  if (begins) job.session.captured = plan.captured;
  job.session.phase = Phase::kThawing;
  job.session.intent = {Intent::Call::kUnfreeze, settings_.identity};
  job.session.unsettled = job.session.unsettled || plan.unsettled || progress.unsettled;
  for (const std::string& doubt : plan.doubts) job.session.doubt(doubt);
  for (const std::string& doubt : progress.doubts) job.session.doubt(doubt);
  job.guest_gone = plan.guest_gone;
  job.look_first = plan.look_first;
  job.completed = plan.completed;
  const Sightings& seen = situation.sightings;
  if (seen.from_birth) job.frozen_since = seen.frozen_since.value_or(seen.first_seen);
  return job;
}

ConcludeJob Sweeper::conclude_job(const Situation& situation, const Progress& progress, Mono now) const {
  ConcludeJob job;
  job.session = situation.session;
  job.session.unsettled = progress.unsettled;
  for (const std::string& doubt : progress.doubts) job.session.doubt(doubt);
  job.holds = situation.holds;
  job.members = situation.members;
  job.frozen_for = progress.frozen_for;
  job.failed_looks = progress.failed_looks;
  job.patient = progress.failures < kMaxLooks;
  job.last_try = given_up(progress, now);
  job.abandoned = !progress.thawed;
  return job;
}

EndRestJob Sweeper::end_rest_job(const Situation& situation, bool abandoned) const {
  EndRestJob job{situation.session, abandoned};
  job.session.intent = {Intent::Call::kUnfreeze, settings_.identity};
  return job;
}

std::optional<Job> Sweeper::plan_lost_session(const Key& key, Observed now) {
  const auto found = lost_.find(key.id);
  if (found == lost_.end()) return std::nullopt;
  const Session& session = found->second.session;
  // Its own timer has thawed it, or another sweeper or a new session has it.
  const bool over = now.at >= found->second.since + session.timer + freeze::kLateCalls;
  if (over || world_.has_session(key.id)) {
    lost_.erase(found);
    return std::nullopt;
  }
  OpenJob job;
  job.session.namespace_ = session.namespace_;
  job.session.vm = session.vm;
  job.session.vmi_uid = session.vmi_uid;
  job.session.windows = session.windows;
  job.session.timer = session.timer;
  job.session.holder = settings_.identity;
  job.session.phase = Phase::kThawing;
  job.session.holds = session.holds;
  job.session.unsettled = true;
  job.session.doubt(reason::kSessionLost);
  return Job{key, std::move(job), attempts_[key].failures > 0};
}

std::optional<Job> Sweeper::plan_stray(const Key& key, Observed now) {
  const auto stray = world_.stray(key.id);
  if (!stray) {
    attempts_.erase(key);
    return std::nullopt;
  }
  const StrayPlan plan = sweeper::plan_stray(*stray, now.at);
  if (plan.action == StrayPlan::Action::kWait) {
    wake_at(key, plan.wake, now.at);
    return std::nullopt;
  }
  if (plan.action == StrayPlan::Action::kForget) {
    world_.forget(key.id);
    attempts_.erase(key);
    return std::nullopt;
  }
  return Job{key, StrayJob{stray->own.facts, plan, stray->backup}, false};
}

std::optional<Job> Sweeper::plan_rescue(const Key& key, Observed now) {
  const auto guest = world_.frozen_guest(key.id);
  if (!guest) {
    attempts_.erase(key);
    return std::nullopt;
  }
  const RescuePlan plan = sweeper::plan_rescue(*guest, now, settings_.policy);
  if (!plan.rescue) {
    wake_at(key, plan.wake, now.at);
    return std::nullopt;
  }
  OpenJob job;
  job.rescue = true;
  job.session.namespace_ = guest->vmi.namespace_;
  job.session.vm = guest->vmi.name;
  job.session.vmi_uid = guest->vmi.uid;
  job.session.timer = settings_.policy.max_timer;
  job.session.holder = settings_.identity;
  job.session.phase = Phase::kThawing;
  job.session.holds = {{freeze::Hold::Kind::kHarvester, plan.backup->name, plan.backup->uid, 0}};
  job.session.doubt(reason::kRescued);
  return Job{key, std::move(job), attempts_[key].failures > 0};
}

Outcome Sweeper::run(const Job& job) const {
  Outcome outcome{job.key, {}};
  if (const auto* thaw_job = std::get_if<ThawJob>(&job.what)) outcome.what = thaw(seams_, *thaw_job);
  if (const auto* conclude_job = std::get_if<ConcludeJob>(&job.what)) {
    outcome.what = conclude(seams_, settings_, *conclude_job);
  }
  if (const auto* rest_job = std::get_if<EndRestJob>(&job.what)) outcome.what = end_rest(seams_, settings_, *rest_job);
  if (const auto* open_job = std::get_if<OpenJob>(&job.what)) outcome.what = open(seams_, *open_job);
  if (const auto* stray_job = std::get_if<StrayJob>(&job.what)) {
    outcome.what = judge_stray(seams_, settings_, *stray_job);
  }
  return outcome;
}

}  // namespace snapfreeze::sweeper
