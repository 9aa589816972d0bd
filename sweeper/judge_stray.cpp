#include "sweeper/judge_stray.h"

#include <algorithm>
#include <map>

#include "freeze/fresh_look.h"
#include "freeze/names.h"
#include "kube/rest.h"
#include "kube/views.h"
#include "sweeper/conclude.h"
#include "sweeper/look.h"
#include "sweeper/write_verdict.h"

namespace snapfreeze::sweeper {
namespace {

using freeze::Consistency;
using freeze::crash;
using freeze::Verdict;
using Action = StrayPlan::Action;
namespace reason = freeze::reason;

using Judged = StrayPlan::Judged;

StrayDone ended(StrayDone::End end) {
  return {end, {}, std::nullopt, false};
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
  return write(seams, {{facts, crash(reason::kSessionLost)}});
}

// Counted and said once a backup.
void tell(const Seams& seams, const Settings& settings, const Target& about, const Verdict& verdict,
          const std::string& culprit) {
  seams.metrics.verdict(to_string(verdict.consistency), verdict.reason);
  EventText text{about.uid, false, "", ""};
  say_verdict(text, verdict, std::nullopt, culprit);
  (void)write_event(seams, settings.identity, about, text);
}

StrayDone judge_backup(const Seams& seams, const Settings& settings, const BackupFacts& backup, const Verdict& verdict,
                       const std::string& culprit = "") {
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
  // A verdict that stood there was counted when it was written.
  if (backup.consistency.empty()) tell(seams, settings, target, verdict, culprit);
  StrayDone done = ended(StrayDone::End::kJudged);
  done.backup = {backup.uid, verdict};
  return done;
}

bool is_offline(const Judged& item) {
  return item.verdict.consistency == Consistency::kOffline;
}

// A fresh look at the VM, its VMI and whoever has its disks has the last word. False: it failed.
bool look_at_disks(const Seams& seams, std::vector<Judged>& judged, std::string& culprit) {
  const SnapshotFacts& facts = judged.front().facts;
  LookJob wanted;
  wanted.namespace_ = facts.namespace_;
  wanted.vms.insert(facts.vm);
  wanted.freezers = false;
  for (const Judged& item : judged) wanted.since = std::min(wanted.since, item.facts.created.value_or(Wall::min()));
  const auto found = look(seams, wanted);
  if (!found->error.empty()) return false;
  const auto object = kube::get(seams.api, kube::object_path(kube::kVirtualMachines, facts.namespace_, facts.vm));
  if (!object && object.error().code != Code::kNotFound) return false;
  std::optional<kube::VmView> vm;
  if (object) vm = kube::VmView::from(*object);
  const auto vmi = found->guest(facts.vm);
  for (Judged& item : judged) {
    if (!is_offline(item)) continue;
    const Wall since = item.facts.created.value_or(Wall::min());
    const auto why = freeze::offline_doubt({item.facts.claim, since, vmi, vm, found->users}, culprit);
    if (!why.empty()) item.verdict = crash(why);
  }
  return true;
}

StrayDone judge(const Seams& seams, const Settings& settings, const StrayJob& job) {
  std::vector<Judged> judged = job.plan.snapshots;
  std::string culprit;
  if (std::any_of(judged.begin(), judged.end(), is_offline) && !look_at_disks(seams, judged, culprit)) {
    if (job.failures + 1 < kMaxLooks) return ended(StrayDone::End::kFailed);
    for (Judged& item : judged) {
      if (is_offline(item)) item.verdict = crash(reason::kUnverified);
    }
  }
  if (!seams.leadership.leads_for(kube::kCallTimeout)) return ended(StrayDone::End::kFailed);
  StrayDone done = write(seams, judged);
  if (done.end != StrayDone::End::kJudged || !job.plan.whole_backup || !job.backup) return done;
  std::map<std::string, Verdict> verdicts;
  for (const Judged& item : judged) verdicts[item.facts.name] = item.verdict;
  StrayDone last =
      judge_backup(seams, settings, *job.backup, freeze::judge_backup(job.backup->snapshot_names, verdicts), culprit);
  last.snapshots = std::move(done.snapshots);
  return last;
}

StrayDone tell_of_label(const Seams& seams, const Settings& settings, const StrayJob& job) {
  const SnapshotFacts& facts = job.facts;
  tell(seams, settings, {&kube::kVolumeSnapshots, facts.namespace_, facts.name, facts.uid}, job.plan.verdict, "");
  StrayDone done = ended(StrayDone::End::kJudged);
  done.told = true;
  return done;
}

}  // namespace

StrayDone judge_stray(const Seams& seams, const Settings& settings, const StrayJob& job) {
  if (!seams.leadership.leads_for(kube::kCallTimeout)) return ended(StrayDone::End::kFailed);
  if (job.plan.action == Action::kJudgeLost) return judge_lost(seams, job.facts);
  if (job.plan.action == Action::kJudgeBackup && job.backup) {
    return judge_backup(seams, settings, *job.backup, job.plan.verdict);
  }
  if (job.plan.action == Action::kTell) return tell_of_label(seams, settings, job);
  return judge(seams, settings, job);
}

}  // namespace snapfreeze::sweeper
