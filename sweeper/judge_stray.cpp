#include "sweeper/judge_stray.h"

#include <algorithm>
#include <map>

#include "base/log.h"
#include "freeze/fresh_look.h"
#include "freeze/names.h"
#include "kube/rest.h"
#include "sweeper/conclude.h"
#include "sweeper/look.h"
#include "sweeper/write_event.h"
#include "sweeper/write_verdict.h"

namespace snapfreeze::sweeper {
namespace {

using freeze::Consistency;
using freeze::crash;
using freeze::Verdict;
using Action = StrayPlan::Action;
using Disk = StrayPlan::Judged;
using StrayEnd = StrayDone::End;
namespace reason = freeze::reason;

StrayDone ended(StrayEnd end) {
  StrayDone done;
  done.end = end;
  return done;
}

StrayEnd end_of(Written written) {
  switch (written) {
    case Written::kYes:
      return StrayEnd::kJudged;
    case Written::kGone:
      return StrayEnd::kGone;
    case Written::kRefused:
    case Written::kFailed:
      break;
  }
  return StrayEnd::kFailed;
}

Target target_of(const SnapshotFacts& facts) {
  return {&kube::kVolumeSnapshots, facts.namespace_, facts.name, facts.uid};
}

Target target_of(const BackupFacts& backup) {
  return {&kube::kHarvesterBackups, backup.namespace_, backup.name, backup.uid};
}

StrayDone judge_lost(const Seams& seams, const SnapshotFacts& facts) {
  if (!facts.vm.empty()) {
    const auto session = seams.sessions.read(facts.namespace_, facts.vm);
    if (!session && session.error().code == Code::kNewer) return ended(StrayEnd::kAlive);
    if (!session && session.error().code != Code::kMalformed) return ended(StrayEnd::kFailed);
    if (session && *session && (*session)->uid == facts.epoch) {
      // It has lost the label by which it is watched.
      if (!(*session)->listed) (void)seams.sessions.update(**session);
      return ended(StrayEnd::kAlive);
    }
  }
  const VerdictFor wanted{target_of(facts), crash(reason::kSessionLost), std::nullopt};
  StrayDone done = ended(end_of(write_verdicts(seams, {&wanted, 1}).front()));
  if (done.end == StrayEnd::kJudged) done.snapshots.emplace_back(facts.uid, wanted.verdict);
  return done;
}

// What a verdict is of.
struct Told {
  Target about;
  std::string backup;  // its name, or the label's value
  std::string vm;      // "": not known
};

// Counted and reported once for each backup: a verdict that is already there was counted when it was written.
void tell(const Seams& seams, const Settings& settings, const Told& told, const Verdict& verdict,
          const std::string& culprit) {
  seams.metrics.verdict(to_string(verdict.consistency), verdict.reason.name());
  const Target& about = told.about;
  (void)write_event(seams, settings.identity, about, {about.uid, freeze::words_of(verdict, std::nullopt, culprit)});
  if (verdict.consistency != Consistency::kCrash) return;
  const EventText text{about.uid + ".vm", freeze::words_for_owner(told.backup, verdict, culprit)};
  (void)write_vm_event(seams, settings.identity, about.namespace_, told.vm, text);
}

StrayDone judge_backup(const Seams& seams, const Settings& settings, const BackupFacts& backup, const Verdict& verdict,
                       const std::string& culprit) {
  const VerdictFor wanted{target_of(backup), verdict, std::nullopt};
  StrayDone done = ended(end_of(write_verdicts(seams, {&wanted, 1}).front()));
  if (done.end != StrayEnd::kJudged) return done;
  if (!backup.verdict) tell(seams, settings, {wanted.target, backup.name, backup.vm}, verdict, culprit);
  done.backup = verdict;
  return done;
}

// Judges snapshots without a session that belong together, at once and with one look.
class Together {
 public:
  Together(const Seams& seams, const Settings& settings, const StrayJob& job)
      : seams_(seams), settings_(settings), job_(job), disks_(job.plan.snapshots) {}

  StrayDone run() {
    const auto needs_look = [this](const Disk& disk) { return must_be_looked_at(disk); };
    if (std::any_of(disks_.begin(), disks_.end(), needs_look) && !look()) {
      if (job_.failures + 1 < kMaxLooks) return ended(StrayEnd::kFailed);
      for (Disk& disk : disks_) {
        if (must_be_looked_at(disk)) doubt(disk, reason::kUnverified);
      }
    }
    spread_doubt();
    if (!seams_.leadership.leads_for(kube::kCallTimeout)) return ended(StrayEnd::kFailed);
    StrayDone done = write();
    if (done.end == StrayEnd::kFailed || !judges_backup()) return done;
    return write_backup(std::move(done));
  }

 private:
  // A snapshot that this process has judged had a look of its own. But whoever has had its disk since then spoils the
  // backup, whose disks are to be of one moment.
  bool must_be_looked_at(const Disk& disk) const {
    return disk.verdict.consistency == Consistency::kOffline && (!disk.looked || backup_waits());
  }

  bool backup_waits() const { return job_.backup && !job_.backup->verdict; }

  // A verdict that was true when it was given stands.
  void doubt(Disk& disk, freeze::Reason why) {
    if (!disk.looked) {
      disk.verdict = crash(why);
    } else if (!backup_doubt_) {
      backup_doubt_ = why;
    }
  }

  // A verdict says that its disk is of one moment with those of the same backup that have it, too.
  void spread_doubt() {
    for (Disk& disk : disks_) {
      const bool new_and_offline = !disk.looked && disk.verdict.consistency == Consistency::kOffline;
      if (new_and_offline && backup_doubt_) disk.verdict = crash(backup_doubt_);
    }
  }

  static bool stands(const Disk& disk) { return disk.facts.verdict == disk.verdict; }

  bool look() {
    LookJob wanted;
    wanted.namespace_ = job_.facts.namespace_;
    wanted.vms.emplace(job_.facts.vm, "");
    wanted.freezers = false;
    for (const Disk& disk : disks_) {
      wanted.since = std::min(wanted.since, disk.facts.created.value_or(Wall::min()));
      wanted.reach_back_to(disk.version);
    }
    const auto found = sweeper::look(seams_, wanted);
    if (!found->error.empty()) return false;
    const auto object =
        kube::get(seams_.api, kube::object_path(kube::kVirtualMachines, job_.facts.namespace_, job_.facts.vm));
    if (!object && object.error().code != Code::kNotFound) return false;
    std::optional<kube::VmView> vm;
    if (object) vm = kube::VmView::from(*object);
    const auto vmi = found->guest(job_.facts.vm);
    for (Disk& disk : disks_) {
      if (!must_be_looked_at(disk)) continue;
      const Wall since = disk.facts.created.value_or(Wall::min());
      const auto why = freeze::offline_doubt({disk.facts.claim, since, vmi, vm, found->users}, culprit_);
      if (why) doubt(disk, why);
    }
    return true;
  }

  StrayDone write() {
    std::vector<VerdictFor> wanted;
    std::vector<const Disk*> of;
    for (const Disk& disk : disks_) {
      verdicts_[disk.facts.name] = disk.verdict;
      if (stands(disk)) continue;
      wanted.push_back({target_of(disk.facts), disk.verdict, std::nullopt});
      of.push_back(&disk);
    }
    const auto written = write_verdicts(seams_, wanted);
    StrayDone done = ended(StrayEnd::kJudged);
    for (std::size_t i = 0; i < written.size(); ++i) {
      if (written[i] == Written::kYes) done.snapshots.emplace_back(of[i]->facts.uid, of[i]->verdict);
      if (written[i] == Written::kGone) verdicts_.erase(of[i]->facts.name);
      if (end_of(written[i]) == StrayEnd::kFailed) done.end = StrayEnd::kFailed;
      if (of[i] == &disks_.front() && written[i] == Written::kGone && done.end == StrayEnd::kJudged)
        done.end = StrayEnd::kGone;
    }
    return done;
  }

  // Only once all snapshots that it lists are known.
  [[nodiscard]] bool judges_backup() const {
    if (!backup_waits()) return false;
    const auto& names = job_.backup->snapshot_names;
    return !names.empty() &&
           std::all_of(names.begin(), names.end(), [&](const std::string& name) { return verdicts_.contains(name); });
  }

  // The snapshots' verdicts stand. If only the backup cannot be written, only the backup is retried.
  StrayDone write_backup(StrayDone done) {
    Verdict verdict = freeze::judge_backup(job_.backup->snapshot_names, verdicts_);
    if (verdict.consistency == Consistency::kOffline && backup_doubt_) verdict = crash(backup_doubt_);
    done.backup = judge_backup(seams_, settings_, *job_.backup, verdict, culprit_).backup;
    return done;
  }

  const Seams& seams_;
  const Settings& settings_;
  const StrayJob& job_;
  std::vector<Disk> disks_;
  std::map<std::string, Verdict> verdicts_;  // by name
  freeze::Reason backup_doubt_;              // of a disk after its own verdict
  std::string culprit_;
};

StrayDone said() {
  StrayDone done = ended(StrayEnd::kJudged);
  done.told = true;
  return done;
}

StrayDone judge(const Seams& seams, const Settings& settings, const StrayJob& job) {
  if (!seams.leadership.leads_for(kube::kCallTimeout)) return ended(StrayEnd::kFailed);
  switch (job.plan.action) {
    case Action::kJudgeLost:
      return judge_lost(seams, job.facts);
    case Action::kJudgeBackup:
      if (job.backup) return judge_backup(seams, settings, *job.backup, job.plan.verdict, "");
      break;
    case Action::kTell:
      tell(seams, settings, {target_of(job.facts), job.facts.hold ? job.facts.hold->name : "", job.facts.vm},
           job.plan.verdict, "");
      return said();
    default:
      break;
  }
  return Together(seams, settings, job).run();
}

}  // namespace

StrayDone judge_stray(const Seams& seams, const Settings& settings, const StrayJob& job) {
  StrayDone done = judge(seams, settings, job);
  if (job.backup) done.backup_uid = job.backup->uid;
  return done;
}

}  // namespace snapfreeze::sweeper
