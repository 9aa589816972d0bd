#include "sweeper/sweeper.h"

#include <algorithm>

#include "base/log.h"
#include "sweeper/make_jobs.h"

namespace snapfreeze::sweeper {
namespace {

using freeze::Phase;

constexpr std::chrono::minutes kCleaning{10};
constexpr std::chrono::seconds kOtherJudges{1};

void say_left_alone(const freeze::Session& session, Progress& progress) {
  if (std::exchange(progress.told_newer, true)) return;
  log::warning("session of a newer version is left alone",
               {{"namespace", session.namespace_}, {"name", session.vm}, {"lease", session.lease}});
}

}  // namespace

Sweeper::Sweeper(const Seams& seams, Settings settings, Options options)
    : seams_(seams),
      settings_(std::move(settings)),
      asks_longhorn_(seams.longhorn != nullptr && options.thaw_on == ThawOn::kCaptured),
      arms_(options.thaw_on == ThawOn::kCaptured),
      ledger_(options.thaw_on, options.rescue) {
  next_cleaning_ = seams_.clock.monotonic() + kCleaning;
}

Observed Sweeper::now() const {
  const Mono at = seams_.clock.monotonic();
  const kube::ServerTime& server = seams_.server_time;
  return {at, server.upper_bound(at).value_or(Wall::max()), server.bound_if_not_set_back(at).value_or(Wall::max())};
}

void Sweeper::on_change(const Change& change) {
  const bool knew_all = synced();
  ledger_.on_change(change, now());
  // What was there before us is mostly finished.
  if (!knew_all && synced()) next_cleaning_ = Mono::min();
}

void Sweeper::done(const Outcome& outcome) {
  const Observed present = now();
  if (const auto* asked = std::get_if<AskDone>(&outcome.what)) {
    if (const auto cut = asks_.done(*asked, present)) ledger_.cut_live(cut->snapshot, {present, cut->created});
  }
  ledger_.done(outcome, present.at);
}

Mono Sweeper::next_wake() const {
  return std::min({ledger_.next(), asks_.next_due(), next_cleaning_});
}

void Sweeper::count_sessions() {
  const auto& counts = world().phases();
  if (counts == counted_) return;
  counted_ = counts;
  for (const auto& [phase, count] : counts) seams_.metrics.sessions(to_string(phase), count);
}

void Sweeper::clean_up(Observed now) {
  if (now.at < next_cleaning_) return;
  next_cleaning_ = now.at + kCleaning;
  ledger_.clean_up(now);
}

std::vector<Job> Sweeper::take_due() {
  std::vector<Job> jobs;
  const Observed present = now();
  clean_up(present);
  count_sessions();
  const bool led = std::exchange(leads_, synced() && seams_.leadership.leads_for(Millis(0)));
  if (!leads_) {
    asks_.clear();
    // Nothing is due until we lead, then everything is looked at again; but what is finished is forgotten.
    while (const auto key = ledger_.pop_due(present.at)) {
      if (key->about == About::kSnapshot) ledger_.forget_if_finished(*key, present.at);
    }
    return jobs;
  }
  if (!led) ledger_.begin_to_lead(present.at);
  while (const auto key = ledger_.pop_due(present.at)) {
    if (auto job = plan(*key, present)) {
      ledger_.begun(job->key);
      jobs.push_back(std::move(*job));
    }
  }
  ask_longhorn(present.at, jobs);
  return jobs;
}

void Sweeper::ask_longhorn(Mono now, std::vector<Job>& jobs) {
  if (winding_down_) asks_.clear();
  while (auto question = asks_.next(now)) {
    const Key key{About::kLonghorn, question->snapshot};
    ledger_.begun(key);
    jobs.push_back({key, std::move(*question), false});
  }
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
    case About::kNamespace:
      return std::nullopt;  // its look is over; those who waited for it were touched
    case About::kLonghorn:
      ledger_.forget(key);
      return std::nullopt;  // what it said is known
    case About::kFrozenGuest:
      break;
  }
  return plan_rescue(key, now);
}

std::optional<Job> Sweeper::plan_session(const Key& key, Observed now) {
  const auto situation = ledger_.world().situation(key.id);
  if (!situation) {
    ledger_.forget_session(key.id);
    asks_.want(key.id, {}, now.at);
    return std::nullopt;
  }
  Progress& progress = ledger_.progress(key.id);
  if (situation->session.phase == Phase::kNewer) say_left_alone(situation->session, progress);
  const Plan plan = sweeper::plan_session(*situation, progress, now, settings_.policy, settings_.identity);
  const bool resting = situation->session.phase == Phase::kResting;
  // What it says once the thaw is under way proves nothing, and is not asked for.
  if (asks_longhorn_) {
    asks_.want(key.id, plan.action == Plan::Action::kWait ? disks_to_ask(*situation) : std::vector<AskSchedule::Disk>(),
               now.at);
  }
  if (winding_down_ && plan.action != Plan::Action::kConclude) return std::nullopt;
  switch (plan.action) {
    case Plan::Action::kWait:
      if (arms_ && !plan.arm_after.empty()) {
        progress.arm_tried = true;
        return Job{key, arm_job(*situation, plan, settings_.identity), progress.failures > 0};
      }
      ledger_.wake_at(key, plan.wake, now.at);
      return std::nullopt;
    case Plan::Action::kThaw:
      if (freeze::is_frozen(situation->session.phase)) progress.unproven = plan.unproven;
      return Job{key, thaw_job(*situation, plan, progress, settings_.identity), progress.failures > 0};
    case Plan::Action::kConclude:
      return plan_conclusion(key, conclude_job(*situation, progress, now.at));
    case Plan::Action::kEndRest:
      return Job{key, end_rest_job(*situation, false, settings_.identity), false};
    case Plan::Action::kAbandon:
      break;
  }
  if (resting) return Job{key, end_rest_job(*situation, true, settings_.identity), false};
  return plan_conclusion(key, conclude_job(*situation, progress, now.at));
}

// A look that is under way touches us when it is done.
std::optional<Job> Sweeper::plan_conclusion(const Key& key, ConcludeJob job) {
  if (needs_look(job)) {
    Looks::Answer answer = ledger_.looks().ask(key.id, look_for(job));
    if (answer.begin) return Job{{About::kNamespace, answer.begin->namespace_}, std::move(*answer.begin), false};
    if (!answer.look) return std::nullopt;
    job.look = std::move(answer.look);
  }
  return Job{key, std::move(job), false};
}

std::optional<Job> Sweeper::plan_lost_session(const Key& key, Observed now) {
  const Ledger::Lost* lost = ledger_.lost(key.id, now.at);
  if (lost == nullptr) return std::nullopt;
  OpenJob job = lost->held || lost->unsettled ? reopen_job(lost->session, settings_.identity)
                                              : OpenJob{lost->session, OpenJob::Kind::kFindAgain};
  return Job{key, std::move(job), ledger_.failures(key) > 0};
}

std::optional<Job> Sweeper::plan_stray(const Key& key, Observed now) {
  const auto stray = ledger_.world().stray(key.id);
  if (!stray) {
    ledger_.forget(key);
    return std::nullopt;
  }
  const StrayPlan plan = sweeper::plan_stray(*stray, now.at);
  if (plan.action == StrayPlan::Action::kWait) {
    ledger_.wake_at(key, plan.wake, now.at);
    return std::nullopt;
  }
  if (plan.action == StrayPlan::Action::kForget) {
    ledger_.forget_snapshot(key);
    return std::nullopt;
  }
  // Each of its snapshots could judge it, and it would be counted for each.
  if (stray->backup && !ledger_.begin_to_judge(stray->backup->uid)) {
    ledger_.wake_at(key, now.at + kOtherJudges, now.at);
    return std::nullopt;
  }
  if (plan.action == StrayPlan::Action::kTell) ledger_.world().told(stray->own.facts, now.at);
  return Job{key, StrayJob{stray->own.facts, plan, stray->backup, ledger_.failures(key)}, false};
}

std::optional<Job> Sweeper::plan_rescue(const Key& key, Observed now) {
  const auto guest = ledger_.world().frozen_guest(key.id);
  if (!guest) {
    ledger_.forget(key);
    return std::nullopt;
  }
  const RescuePlan plan = sweeper::plan_rescue(*guest, now, settings_.policy);
  if (!plan.rescue) {
    ledger_.wake_at(key, plan.wake, now.at);
    return std::nullopt;
  }
  return Job{key, rescue_job(*guest, *plan.backup, settings_, now.bound), ledger_.failures(key) > 0};
}

Outcome Sweeper::run(const Job& job) const {
  Outcome outcome{job.key, {}};
  if (const auto* thaw_job = std::get_if<ThawJob>(&job.what)) outcome.what = thaw(seams_, *thaw_job);
  if (const auto* arm_job = std::get_if<ArmJob>(&job.what)) outcome.what = arm(seams_, *arm_job);
  if (const auto* conclude_job = std::get_if<ConcludeJob>(&job.what)) {
    outcome.what = conclude(seams_, settings_, *conclude_job);
  }
  if (const auto* rest_job = std::get_if<EndRestJob>(&job.what)) outcome.what = end_rest(seams_, settings_, *rest_job);
  if (const auto* open_job = std::get_if<OpenJob>(&job.what)) outcome.what = open(seams_, *open_job);
  if (const auto* ask_job = std::get_if<AskJob>(&job.what)) outcome.what = ask(*seams_.longhorn, *ask_job);
  if (const auto* look_job = std::get_if<LookJob>(&job.what)) outcome.what = look(seams_, *look_job);
  if (const auto* stray_job = std::get_if<StrayJob>(&job.what)) {
    outcome.what = judge_stray(seams_, settings_, *stray_job);
  }
  return outcome;
}

}  // namespace snapfreeze::sweeper
