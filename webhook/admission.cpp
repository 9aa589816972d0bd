#include "webhook/admission.h"

#include <optional>
#include <utility>

#include "freeze/backup.h"
#include "freeze/names.h"
#include "kube/paths.h"
#include "webhook/begin.h"
#include "webhook/budget.h"
#include "webhook/decision.h"
#include "webhook/reads.h"
#include "webhook/undo.h"
#include "webhook/waits.h"

namespace snapfreeze::webhook {
namespace {

using freeze::Hold;
using freeze::Reason;
using freeze::Session;
using Step = Decision::Step;
namespace reason = freeze::reason;

// Reserved in the budget of an admission that may have to undo Harvester's freeze.
constexpr Millis kForUndo{300};

// KubeVirt drops fractions of a second, and reads 0 as no timer.
bool has_no_timer(const kube::BackupView& backup) {
  return backup.harvester_froze && backup.fs_freeze_deadline && *backup.fs_freeze_deadline < std::chrono::seconds(1);
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
        subject_{review.namespace_,   review.name,           review.snapshot.source_pvc,
                 std::move(claim.vm), std::move(claim.hold), {}},
        permission_{review.user, std::nullopt} {}

  Outcome run() {
    if (auto ended = join_at_once()) return *ended;
    if (auto ended = is_harvesters() ? look_at_backup() : look_for_vm()) return *ended;
    if (!kube::is_object_name(subject_.vm)) return crashed(reason::kNoVm);
    for (;;) {
      if (budget_.used_up()) return refused(reason::kNoTime);
      if (auto ended = try_once()) return *ended;
    }
  }

 private:
  // Each of these returns the result of the admission, or nullopt to go on: with the next step, or, from try_once on,
  // with fresh reads.

  // The common case: another disk of the same backup was admitted just now. Nothing but joining rests on that.
  std::optional<Outcome> join_at_once() {
    if (!is_harvesters()) return std::nullopt;
    const auto vm =
        admission_.backups_.vm_of(review_.namespace_, subject_.hold.uid, review_.name, seams_.clock.monotonic());
    if (!vm) return std::nullopt;
    subject_.vm = *vm;
    Facts facts;
    auto session = read_session();
    if (!session) return std::nullopt;
    facts.session = std::move(*session);
    const auto decision = decide_early(subject_.hold, subject_.disk, facts.session);
    return decision && decision->step == Step::kJoin ? act(*decision, facts) : std::nullopt;
  }

  std::optional<Outcome> look_at_backup() {
    if (!kube::is_object_name(subject_.hold.name)) return crashed(reason::kUnknownBackup);
    const Mono asked = seams_.clock.monotonic();
    // Only the backup tells whether Harvester's freeze has a timer, so a read that failed is repeated.
    const auto backup = read_backup_patiently(seams_, admission_.waits_, subject_, budget_, kForUndo);
    if (!backup) return api_error(backup.error());
    if (!*backup) return crashed(reason::kUnknownBackup);
    if (const auto why = freeze::refuse_claim(subject_.hold, review_.name, **backup)) return crashed(why);
    subject_.vm = (*backup)->source_name;
    subject_.members = (*backup)->snapshot_names;
    deadline_of_backup_ = (*backup)->fs_freeze_deadline;
    if (freeze::opted_out((*backup)->metadata)) return crashed(reason::kSkipped);
    harvester_froze_ = (*backup)->harvester_froze;
    no_timer_ = has_no_timer(**backup);
    // Without a timer, the undo of Harvester's freeze must not have to wait for a slow read of the Lease.
    if (!no_timer_) admission_.backups_.note(review_.namespace_, **backup, asked);
    return std::nullopt;
  }

  // The creator did not name the VM. To find it, the guests of the namespace are listed, but only for users who may
  // freeze each of them. Users who may freeze only some must name the VM.
  std::optional<Outcome> look_for_vm() {
    if (!subject_.vm.empty() || subject_.disk.empty()) return std::nullopt;
    const auto allowed = may_freeze(seams_.api, review_.user, review_.namespace_, "", budget_.for_call());
    if (!allowed) return api_error(allowed.error());
    if (!*allowed) return not_permitted_to_look();
    permission_.given = true;
    const auto found = admission_.vms_.find(review_.namespace_, subject_.disk, budget_);
    if (!found) return api_error(found.error());
    if (found->what == Found::What::kBusy) return crashed(reason::kBusy);
    if (found->what == Found::What::kShared) return crashed(reason::kSharedDisk);
    subject_.vm = found->vm;
    return std::nullopt;
  }

  Outcome not_permitted_to_look() const {
    Outcome outcome = crashed(reason::kNotPermitted);
    outcome.warnings.emplace_back("snapfreeze: who may freeze single VMs must name one: set the annotation " +
                                  std::string(freeze::kVmAnnotation));
    return outcome;
  }

  std::optional<Outcome> try_once() {
    auto session = read_session();
    if (!session) return api_error(session.error());
    Facts facts;
    facts.hold = subject_.hold;
    facts.disk = subject_.disk;
    facts.session = std::move(*session);
    if (const auto decision = decide_early(facts.hold, facts.disk, facts.session)) {
      return act(decision->reason == reason::kCoolDown ? look_at_resting(facts) : *decision, facts);
    }
    if (!admission_.sweeper_.alive(seams_.clock.monotonic())) return refused(reason::kNoSweeper);
    Permission* const now = is_harvesters() ? nullptr : &permission_;
    const auto seen = read_guest(seams_.api, subject_, budget_.for_call(), now, facts.guest);
    if (!seen) return api_error(seen.error());
    if (const auto decision = decide_by_guest(facts)) return act(*decision, facts);
    if (auto ended = look_at_members(facts)) return *ended;
    facts.server_clock = seams_.server_time.upper_bound(seams_.clock.monotonic());
    return act(decide(facts), facts);
  }

  // If the guest cannot be read, it is not known to be off.
  Decision look_at_resting(Facts& facts) {
    (void)read_guest(seams_.api, subject_, budget_.for_call(), nullptr, facts.guest);
    return decide_resting(facts);
  }

  // Nothing is listed, waited for or written for a user who may not freeze the guest. Otherwise a copied owner
  // reference would be a way around RBAC.
  std::optional<Outcome> look_at_members(Facts& facts) {
    if (permission_.given == false) return crashed(reason::kNotPermitted);
    const auto read = read_members(seams_.api, subject_, budget_, permission_, facts);
    if (permission_.given == false) return crashed(reason::kNotPermitted);
    if (!read) return api_error(read.error());
    if (is_harvesters() || facts.exists) return std::nullopt;
    for (Wait wait(admission_.waits_);;) {
      if (const Slots::Taken slot(admission_.lists_); slot) {
        const auto timer = freeze::freeze_timer(settings_.policy, std::nullopt, false);
        const auto listed = list_members(seams_, subject_, timer, budget_, facts);
        if (!listed) return api_error(listed.error());
        return std::nullopt;
      }
      if (!wait.next(seams_.clock, budget_)) return crashed(reason::kBusy);
    }
  }

  // Without its label no sweeper finds the session, and it would never end. Only someone who may write our Leases can
  // have removed it, so whoever asks now cannot cause more than this one write.
  void restore_label(const std::optional<Session>& session) {
    if (session && !session->listed) (void)seams_.sessions.update(*session, budget_.for_call());
  }

  std::optional<Outcome> act(const Decision& decision, const Facts& facts) {
    if (decision.step != Step::kAddHold) restore_label(facts.session);
    switch (decision.step) {
      case Step::kJoin:
        return joined(*facts.session);
      case Step::kOffline:
        return Outcome{kNoGuest, marks(freeze::kEpochOffline), {}, ""};
      case Step::kWait:
        return wait(*facts.session);
      case Step::kAwaitReport:
        return after(wait_for_report(seams_, admission_.waits_, subject_, budget_), reason::kFrozenByOther);
      case Step::kCrash:
        return decision.reason == reason::kLate ? late() : refused(decision.reason);
      case Step::kAddHold:
        return settings_.observe ? crashed(reason::kObserve) : add_hold(*facts.session);
      case Step::kBegin:
        break;
    }
    return settings_.observe ? crashed(reason::kObserve) : begin(*facts.guest.vmi);
  }

  // A member that was created since the session was read may have been admitted to a session that began meanwhile.
  std::optional<Outcome> late() {
    const auto session = read_session();
    if (!session) return api_error(session.error());
    if (covers(*session, subject_.hold)) return std::nullopt;
    // No session ever begins here, so every disk but the first would be late.
    return settings_.observe ? crashed(reason::kObserve) : refused(reason::kLate);
  }

  std::optional<Outcome> wait(const Session& seen) {
    // Without a timer, Harvester's freeze must be undone in time.
    const Budget waiting = no_timer_ ? budget_.less(kForUndo) : budget_;
    return after(wait_for_session(seams_, admission_.waits_, seen, waiting),
                 seen.phase == freeze::Phase::kFreezing ? reason::kNoTime : reason::kHeld);
  }

  std::optional<Outcome> after(const Result<Waited>& waited, Reason in_vain) {
    if (!waited) return api_error(waited.error());
    if (*waited == Waited::kChanged) return std::nullopt;
    return refused(*waited == Waited::kBusy ? reason::kBusy : in_vain);
  }

  std::optional<Outcome> add_hold(Session session) {
    session.holds.push_back(subject_.hold);
    const auto written = seams_.sessions.update(session, budget_.for_call());
    if (written) return joined(*written);
    const Code code = written.error().code;
    if (code == Code::kConflict || code == Code::kNotFound) return again();
    // It may have been written nevertheless.
    const auto there = read_session();
    if (there && *there && (*there)->uid == session.uid && covers(*there, subject_.hold)) return joined(**there);
    return api_error(written.error());
  }

  std::optional<Outcome> begin(const kube::VmiView& vmi) {
    const Slots::Taken slot(admission_.freezes_);
    if (!slot) return refused(reason::kBusy);
    const Began begun = begin_session(seams_, new_session(vmi), arrival_, budget_);
    switch (begun.end) {
      case Began::End::kFrozen:
        return Outcome{kFroze, marks(begun.session.uid), {}, ""};
      case Began::End::kLostRace:
        return again();
      case Began::End::kFailed:
        break;
    }
    return begun.on_record ? crashed(begun.reason, begun.error) : refused(begun.reason, begun.error);
  }

  // Another admission was faster.
  std::optional<Outcome> again() {
    if (!lost_races_.wait(seams_.clock, budget_)) return refused(reason::kHeld);
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
    session.claims = vmi.disks();
    session.windows = vmi.windows();
    session.timer = freeze::freeze_timer(settings_.policy, deadline_of_backup_, vmi.windows());
    session.holder = settings_.replica + "/" + review_.uid;
    session.holds = {subject_.hold};
    return session;
  }

  [[nodiscard]] bool is_harvesters() const { return subject_.hold.kind == Hold::Kind::kHarvester; }

  Marks marks(std::string epoch) const { return {std::move(epoch), subject_.hold.name, subject_.vm, std::nullopt}; }

  Outcome joined(const Session& session) const { return {kJoined, marks(session.uid), {}, ""}; }

  Outcome crashed(Reason why, std::string error = "") const {
    return crash(why, subject_.hold.name, subject_.vm, std::move(error));
  }

  // Like crashed. But Harvester may have frozen the guest for this very snapshot, and nobody else would thaw it: a
  // freeze without a timer lasts for ever, and is useless for a snapshot that already exists.
  Outcome refused(Reason why, std::string error = "") {
    if (no_timer_ || (harvester_froze_ && why == reason::kDuplicate)) undo(why);
    return crashed(why, std::move(error));
  }

  Outcome api_error(const Error& error) {
    if (error.code == Code::kNewer) return crashed(reason::kNewerFormat, error.message);
    return refused(reason::kApiError, error.message);
  }

  void undo(Reason why) {
    if (settings_.observe || why == reason::kSkipped || why == reason::kSnapshotInProgress) return;
    const Budget budget = budget_.to_clean_up(kForUndo);
    const auto vmi = guest_to_undo(seams_, subject_, permission_, budget);
    if (vmi) undo_harvesters_freeze(seams_, new_session(*vmi), budget);
  }

  Admission& admission_;
  const Seams& seams_;
  const Settings& settings_;
  const Review& review_;
  const Mono arrival_;
  const Budget budget_;
  Subject subject_;
  Permission permission_;
  std::optional<Millis> deadline_of_backup_;
  bool harvester_froze_ = false;  // before it asked for this snapshot
  bool no_timer_ = false;         // and so that nothing ends it
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
