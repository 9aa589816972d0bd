#include "sweeper/judge_stray.h"

#include "base/log.h"
#include "freeze/names.h"
#include "kube/rest.h"
#include "sweeper/write_verdict.h"

namespace snapfreeze::sweeper {
namespace {

using freeze::Consistency;
using freeze::Verdict;
using Action = StrayPlan::Action;
namespace reason = freeze::reason;

StrayDone ended(Written written, const Verdict& verdict) {
  switch (written) {
    case Written::kYes:
      return {StrayDone::End::kJudged, verdict};
    case Written::kGone:
      return {StrayDone::End::kGone, verdict};
    case Written::kRefused:
    case Written::kFailed:
      break;
  }
  return {StrayDone::End::kFailed, verdict};
}

StrayDone judge_snapshot(const Seams& seams, const SnapshotFacts& facts, Verdict verdict) {
  const VerdictFor wanted{
      {&kube::kVolumeSnapshots, facts.namespace_, facts.name, facts.uid}, std::move(verdict), std::nullopt};
  return ended(write_verdicts(seams, {&wanted, 1}).front(), wanted.verdict);
}

StrayDone judge_lost(const Seams& seams, const SnapshotFacts& facts) {
  if (!facts.vm.empty()) {
    const auto session = seams.sessions.read(facts.namespace_, facts.vm);
    if (!session && session.error().code != Code::kMalformed) return {StrayDone::End::kFailed, {}};
    if (session && *session && (*session)->uid == facts.epoch) return {StrayDone::End::kAlive, {}};
  }
  return judge_snapshot(seams, facts, {Consistency::kCrash, reason::kSessionLost});
}

StrayDone judge(const Seams& seams, const SnapshotFacts& facts, Verdict verdict) {
  if (verdict.consistency == Consistency::kOffline) {
    const auto vmi =
        kube::get(seams.api, kube::object_path(kube::kVirtualMachineInstances, facts.namespace_, facts.vm));
    if (vmi) {
      verdict = {Consistency::kCrash, reason::kStarted};
    } else if (vmi.error().code != Code::kNotFound) {
      return {StrayDone::End::kFailed, {}};
    }
  }
  return judge_snapshot(seams, facts, std::move(verdict));
}

StrayDone judge_backup(const Seams& seams, const Settings& settings, const BackupFacts& backup, Verdict verdict) {
  const Target target{&kube::kHarvesterBackups, backup.namespace_, backup.name, backup.uid};
  const VerdictFor wanted{target, std::move(verdict), std::nullopt};
  StrayDone done = ended(write_verdicts(seams, {&wanted, 1}).front(), wanted.verdict);
  if (done.end != StrayDone::End::kJudged) return done;
  seams.metrics.verdict(to_string(done.verdict.consistency), done.verdict.reason);
  EventText text{backup.uid, false, "OfflineConsistent", "the VM was not running while its disks were captured"};
  if (done.verdict.consistency == Consistency::kCrash) {
    text = {backup.uid, true, "CrashConsistent", "crash-consistent only: " + done.verdict.reason};
  }
  (void)write_event(seams, settings.identity, target, text);
  return done;
}

}  // namespace

StrayDone judge_stray(const Seams& seams, const Settings& settings, const StrayJob& job) {
  if (!seams.leadership.leads_for(kube::kCallTimeout)) return {StrayDone::End::kFailed, {}};
  if (job.plan.action == Action::kJudgeLost) return judge_lost(seams, job.facts);
  if (job.plan.action == Action::kJudgeBackup && job.backup) {
    return judge_backup(seams, settings, *job.backup, job.plan.verdict);
  }
  return judge(seams, job.facts, job.plan.verdict);
}

}  // namespace snapfreeze::sweeper
