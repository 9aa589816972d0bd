#include "sweeper/judge_stray.h"

#include <algorithm>
#include <map>

#include "freeze/names.h"
#include "kube/rest.h"
#include "kube/views.h"
#include "sweeper/write_verdict.h"

namespace snapfreeze::sweeper {
namespace {

using freeze::Consistency;
using freeze::Verdict;
using Action = StrayPlan::Action;
namespace reason = freeze::reason;

using Judged = StrayPlan::Judged;

StrayDone ended(StrayDone::End end) {
  return {end, {}, std::nullopt};
}

// The verdicts of all of them, side by side. kGone when one of them is gone: what is left is planned again.
StrayDone write(const Seams& seams, const std::vector<Judged>& judged) {
  std::vector<VerdictFor> wanted;
  std::vector<const Judged*> of;
  for (const Judged& item : judged) {
    const SnapshotFacts& facts = item.facts;
    if (facts.consistency == to_string(item.verdict.consistency) && facts.reason == item.verdict.reason) continue;
    of.push_back(&item);
    wanted.push_back({{&kube::kVolumeSnapshots, facts.namespace_, facts.name, facts.uid}, item.verdict, std::nullopt});
  }
  const auto written = write_verdicts(seams, wanted);
  StrayDone done = ended(StrayDone::End::kJudged);
  for (std::size_t i = 0; i < written.size(); ++i) {
    if (written[i] == Written::kYes) done.snapshots.emplace_back(of[i]->facts.uid, of[i]->verdict);
    if (written[i] == Written::kGone) done.end = StrayDone::End::kGone;
    if (written[i] == Written::kRefused || written[i] == Written::kFailed) done.end = StrayDone::End::kFailed;
  }
  return done;
}

StrayDone judge_lost(const Seams& seams, const SnapshotFacts& facts) {
  if (!facts.vm.empty()) {
    const auto session = seams.sessions.read(facts.namespace_, facts.vm);
    if (!session && session.error().code != Code::kMalformed) return ended(StrayDone::End::kFailed);
    if (session && *session && (*session)->uid == facts.epoch) return ended(StrayDone::End::kAlive);
  }
  return write(seams, {{facts, {Consistency::kCrash, reason::kSessionLost}}});
}

StrayDone judge_backup(const Seams& seams, const Settings& settings, const BackupFacts& backup,
                       const Verdict& verdict) {
  const Target target{&kube::kHarvesterBackups, backup.namespace_, backup.name, backup.uid};
  const VerdictFor wanted{target, verdict, std::nullopt};
  switch (write_verdicts(seams, {&wanted, 1}).front()) {
    case Written::kYes:
      break;
    case Written::kGone:
      return ended(StrayDone::End::kGone);
    case Written::kRefused:
    case Written::kFailed:
      return ended(StrayDone::End::kFailed);
  }
  seams.metrics.verdict(to_string(verdict.consistency), verdict.reason);
  EventText text{backup.uid, false, "OfflineConsistent", "the VM was not running while its disks were captured"};
  if (verdict.consistency == Consistency::kCrash) {
    text = {backup.uid, true, "CrashConsistent", "crash-consistent only: " + verdict.reason};
  }
  (void)write_event(seams, settings.identity, target, text);
  StrayDone done = ended(StrayDone::End::kJudged);
  done.backup = {backup.uid, verdict};
  return done;
}

StrayDone judge(const Seams& seams, const Settings& settings, const StrayJob& job) {
  std::vector<Judged> judged = job.plan.snapshots;
  const SnapshotFacts& facts = judged.front().facts;
  const auto is_offline = [](const Judged& item) { return item.verdict.consistency == Consistency::kOffline; };
  if (std::any_of(judged.begin(), judged.end(), is_offline)) {
    const auto vmi =
        kube::get(seams.api, kube::object_path(kube::kVirtualMachineInstances, facts.namespace_, facts.vm));
    if (!vmi && vmi.error().code != Code::kNotFound) return ended(StrayDone::End::kFailed);
    const bool runs = vmi && !kube::VmiView::from(*vmi).off();
    for (Judged& item : judged) {
      if (runs && is_offline(item)) item.verdict = {Consistency::kCrash, reason::kStarted};
    }
  }
  StrayDone done = write(seams, judged);
  if (done.end != StrayDone::End::kJudged || !job.plan.whole_backup || !job.backup) return done;
  std::map<std::string, Verdict> verdicts;
  for (const Judged& item : judged) verdicts[item.facts.name] = item.verdict;
  StrayDone last =
      judge_backup(seams, settings, *job.backup, freeze::judge_backup(job.backup->snapshot_names, verdicts));
  last.snapshots = std::move(done.snapshots);
  return last;
}

}  // namespace

StrayDone judge_stray(const Seams& seams, const Settings& settings, const StrayJob& job) {
  if (!seams.leadership.leads_for(kube::kCallTimeout)) return ended(StrayDone::End::kFailed);
  if (job.plan.action == Action::kJudgeLost) return judge_lost(seams, job.facts);
  if (job.plan.action == Action::kJudgeBackup && job.backup) {
    return judge_backup(seams, settings, *job.backup, job.plan.verdict);
  }
  return judge(seams, settings, job);
}

}  // namespace snapfreeze::sweeper
