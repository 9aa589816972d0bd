#include "webhook/admission.h"

#include <utility>

#include "freeze/backup.h"
#include "freeze/names.h"
#include "webhook/begin.h"
#include "webhook/budget.h"
#include "webhook/decision.h"
#include "webhook/reads.h"

namespace snapfreeze::webhook {
namespace {

using freeze::Hold;
using freeze::Session;
using Step = Decision::Step;
namespace reason = freeze::reason;

Outcome crash(std::string_view why, const std::string& backup, const std::string& vm, std::string error = "") {
  return {why,
          Marks{freeze::kEpochNone, backup, vm, "crash", std::string(why)},
          {"snapfreeze: the guest is not frozen for this snapshot: " + std::string(why)},
          std::move(error)};
}

}  // namespace

// One admission of a snapshot that claims a guest.
class Admission::Run {
 public:
  Run(Admission& admission, const Review& review, freeze::Claim claim, Mono arrival, Mono deadline)
      : admission_(admission),
        seams_(admission.seams_),
        settings_(admission.settings_),
        review_(review),
        arrival_(arrival),
        budget_(admission.seams_.clock, deadline),
        subject_{review.namespace_, review.name, std::move(claim.vm), std::move(claim.hold), {}} {}

  Outcome run() {
    if (auto ended = subject_.hold.kind == Hold::Kind::kHarvester ? look_at_backup() : look_for_vm()) return *ended;
    if (!is_object_name(subject_.vm)) return crashed(reason::kNoVm);
    for (;;) {
      if (budget_.used_up()) return crashed(reason::kNoTime);
      if (auto ended = try_once()) return *ended;
    }
  }

 private:
  // Each of these returns the end of the admission, or nullopt to go on: with the next step, or, from try_once on, with
  // fresh reads.

  std::optional<Outcome> look_at_backup() {
    if (!is_object_name(subject_.hold.name)) return crashed(reason::kUnknownBackup);
    const auto backup = read_backup(seams_.api, review_.namespace_, subject_.hold.name, budget_.for_call());
    if (!backup) return api_error(backup.error());
    if (!*backup) return crashed(reason::kUnknownBackup);
    if (const auto why = freeze::refuse_claim(subject_.hold, review_.name, **backup); !why.empty()) return crashed(why);
    subject_.vm = (*backup)->source_name;
    subject_.members = (*backup)->snapshot_names;
    deadline_of_backup_ = (*backup)->fs_freeze_deadline;
    if (freeze::opted_out((*backup)->metadata)) return crashed(reason::kSkipped);
    return std::nullopt;
  }

  std::optional<Outcome> look_for_vm() {
    const std::string& pvc = review_.snapshot.source_pvc;
    if (!subject_.vm.empty() || pvc.empty()) return std::nullopt;
    auto vm = find_vm(seams_.api, review_.namespace_, pvc, budget_.for_call());
    if (!vm) return api_error(vm.error());
    subject_.vm = std::move(*vm);
    return std::nullopt;
  }

  std::optional<Outcome> try_once() {
    auto session = read_session();
    if (!session) return api_error(session.error());
    Facts facts;
    facts.session = std::move(*session);
    if (const auto decision = decide_early(subject_.hold, facts.session)) return act(*decision, facts);
    if (!admission_.sweeper_.alive(seams_.clock.monotonic())) return crashed(reason::kNoSweeper);
    const auto gathered = gather(seams_.api, subject_, budget_.for_call(), facts);
    if (!gathered) return api_error(gathered.error());
    facts.server_clock = seams_.server_time.upper_bound(seams_.clock.monotonic());
    return act(decide(facts), facts);
  }

  std::optional<Outcome> act(const Decision& decision, const Facts& facts) {
    switch (decision.step) {
      case Step::kJoin:
        return joined(*facts.session);
      case Step::kOffline:
        return Outcome{kNoGuest, marks(freeze::kEpochOffline), {}, ""};
      case Step::kWait:
        return wait(*facts.session);
      case Step::kCrash:
        return decision.reason == reason::kLate ? late() : crashed(decision.reason);
      case Step::kAddHold:
        return add_hold(*facts.session);
      case Step::kBegin:
        return begin(*facts.guest.vmi);
      case Step::kUndo:
        break;
    }
    return undo(*facts.guest.vmi);
  }

  // A member that came into being since the session was read may have been admitted to a session begun meanwhile.
  std::optional<Outcome> late() {
    const auto session = read_session();
    if (!session) return api_error(session.error());
    if (covers(*session, subject_.hold)) return std::nullopt;
    // Where no session ever begins, every disk but the first would be late.
    return crashed(settings_.observe ? reason::kObserve : reason::kLate);
  }

  // Until a freeze has ended, or, of what cannot be joined, until it is gone or rests.
  std::optional<Outcome> wait(const Session& seen) {
    const Slots::Taken slot(admission_.waits_);
    if (!slot) return crashed(reason::kBusy);
    const bool is_freezing = seen.phase == freeze::Phase::kFreezing;
    for (Backoff backoff; backoff.wait(seams_.clock, budget_);) {
      const auto session = read_session();
      if (!session) return api_error(session.error());
      if (!*session || (*session)->uid != seen.uid || (*session)->phase == freeze::Phase::kResting) return std::nullopt;
      if (is_freezing && (*session)->phase != seen.phase) return std::nullopt;
    }
    return crashed(reason::kNoTime);
  }

  // Asked before anything is written: otherwise a copied owner reference would be a way around RBAC.
  std::optional<Outcome> refuse_to_act() {
    const auto allowed = may_freeze(seams_.api, review_.user, review_.namespace_, subject_.vm, budget_.for_call());
    if (!allowed) return api_error(allowed.error());
    if (!*allowed) return crashed(reason::kNotPermitted);
    if (settings_.observe) return crashed(reason::kObserve);
    return std::nullopt;
  }

  std::optional<Outcome> add_hold(Session session) {
    if (auto refused = refuse_to_act()) return refused;
    session.holds.push_back(subject_.hold);
    const auto written = seams_.sessions.update(session, budget_.for_call());
    if (written) return joined(*written);
    const Code code = written.error().code;
    if (code == Code::kConflict || code == Code::kNotFound) return again();
    // It may have been written all the same.
    const auto there = read_session();
    if (there && *there && (*there)->uid == session.uid && covers(*there, subject_.hold)) return joined(**there);
    return api_error(written.error());
  }

  std::optional<Outcome> begin(const kube::VmiView& vmi) {
    const Slots::Taken slot(admission_.freezes_);
    if (!slot) return crashed(reason::kBusy);
    if (auto refused = refuse_to_act()) return refused;
    const Began begun = begin_session(seams_, new_session(vmi), arrival_, budget_);
    switch (begun.end) {
      case Began::End::kFrozen:
        return Outcome{kFroze, marks(begun.session.uid), {}, ""};
      case Began::End::kLostRace:
        return again();
      case Began::End::kFailed:
        break;
    }
    return crashed(begun.reason, begun.error);
  }

  // Harvester has just frozen for a disk that exists already, and nobody holds the guest.
  Outcome undo(const kube::VmiView& vmi) {
    if (auto refused = refuse_to_act()) return *refused;
    Session session = new_session(vmi);
    session.unsettled = true;
    session.doubt(reason::kDuplicate);
    leave_thawing(seams_, std::move(session), budget_);
    return crashed(reason::kDuplicate);
  }

  // Another admission was faster.
  std::optional<Outcome> again() {
    if (!lost_races_.wait(seams_.clock, budget_)) return crashed(reason::kNoTime);
    return std::nullopt;
  }

  Result<std::optional<Session>> read_session() {
    return seams_.sessions.read(review_.namespace_, subject_.vm, budget_.for_call());
  }

  Session new_session(const kube::VmiView& vmi) const {
    Session session;
    session.namespace_ = review_.namespace_;
    session.vm = subject_.vm;
    session.vmi_uid = vmi.metadata.uid;
    session.claims = vmi.claims;
    session.windows = vmi.windows();
    session.timer = freeze::freeze_timer(settings_.policy, deadline_of_backup_, vmi.windows());
    session.holder = settings_.replica + "/" + review_.uid;
    session.holds = {subject_.hold};
    return session;
  }

  Marks marks(std::string epoch) const { return {std::move(epoch), subject_.hold.name, subject_.vm, "", ""}; }

  Outcome joined(const Session& session) const { return {kJoined, marks(session.uid), {}, ""}; }

  Outcome crashed(std::string_view why, std::string error = "") const {
    return crash(why, subject_.hold.name, subject_.vm, std::move(error));
  }

  Outcome api_error(const Error& error) const { return crashed(reason::kApiError, error.message); }

  Admission& admission_;
  const Seams& seams_;
  const Settings& settings_;
  const Review& review_;
  const Mono arrival_;
  const Budget budget_;
  Subject subject_;
  std::optional<Millis> deadline_of_backup_;
  Backoff lost_races_;
};

Outcome Admission::admit(const Review& review, Mono arrival, Mono deadline) {
  if (!review.off_topic.empty()) return {kUntouched, std::nullopt, {"snapfreeze: " + review.off_topic}, ""};
  auto claim = freeze::claim_of(review.snapshot);
  if (!claim) {
    Outcome outcome = crash(reason::kInvalidMembers, review.snapshot.metadata.label(freeze::kBackupLabel), "");
    outcome.warnings = {"snapfreeze: " + claim.error().message};
    return outcome;
  }
  if (claim->kind == freeze::Claim::Kind::kNotOurs) return {kUntouched, std::nullopt, {}, ""};
  if (review.dry_run) return crash(reason::kDryRun, claim->hold.name, "");
  return Run(*this, review, std::move(*claim), arrival, deadline).run();
}

}  // namespace snapfreeze::webhook
