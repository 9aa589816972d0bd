// The end of a rest, sessions that begin with their thaw, and snapshots without a session.
#include "sweeper/conclude.h"
#include "sweeper/end_rest.h"
#include "sweeper/judge_stray.h"
#include "sweeper/open.h"
#include "test/unit/sweeper/rig.h"

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;
using namespace snapfreeze::sweeper;
using freeze::Consistency;
using freeze::Intent;
using freeze::Phase;
using freeze::Session;
namespace reason = freeze::reason;

namespace {

EndRestJob resting(Rig& rig, bool unsettled) {
  EndRestJob job{rig.begin(Phase::kResting), false};
  job.session.unsettled = unsettled;
  job.session.intent = {Intent::Call::kUnfreeze, "me"};
  return job;
}

Session born_thawing(Rig& rig) {
  Session wanted = session(Phase::kThawing);
  wanted.vmi_uid = rig.cluster.get("kubevirt.io/virtualmachineinstances", "vms", "vm1")["metadata"]["uid"];
  return wanted;
}

void freeze_by_hand(Rig& rig) {
  rig.cluster.call("harvester", "PUT",
                   "/apis/subresources.kubevirt.io/v1/namespaces/vms/virtualmachineinstances/vm1/freeze",
                   {{"unfreezeTimeout", "0s"}});
  rig.runtime.sleep_for(6s);  // until the status says so
}

StrayJob stray_job(Rig& rig, StrayPlan::Action action, const std::string& epoch) {
  rig.cluster.create_snapshot("somebody", "vms", "s0", "vm1-disk-0");
  StrayJob job;
  job.facts = snapshot("s0", epoch);
  job.facts.claim = "vm1-disk-0";
  job.facts.created = rig.runtime.wall();
  job.facts.uid = rig.cluster.get("snapshot.storage.k8s.io/volumesnapshots", "vms", "s0")["metadata"]["uid"];
  job.plan.action = action;
  return job;
}

std::string verdict_of(Rig& rig) {
  const std::string resource = "snapshot.storage.k8s.io/volumesnapshots";
  return rig.note(resource, "s0", "consistency") + " " + rig.note(resource, "s0", "reason");
}

}  // namespace

TEST_CASE("at the end of a rest an unsettled guest is thawed once more, on record") {
  Rig rig;
  CHECK(end_rest(rig.seams, rig.settings, resting(rig, true)).end == EndRestDone::End::kEnded);
  CHECK(rig.calls("unfreeze") == 1);
  CHECK(rig.unrecorded.empty());
  CHECK_FALSE(rig.on_record());
}

TEST_CASE("at the end of a mere cool-down nobody is touched") {
  Rig rig;
  CHECK(end_rest(rig.seams, rig.settings, resting(rig, false)).end == EndRestDone::End::kEnded);
  CHECK(rig.calls("unfreeze") == 0);
  CHECK_FALSE(rig.on_record());
}

TEST_CASE("a session rests again when its last thaw is not settled either, and ends when that is given up") {
  Rig rig;
  cluster::GuestFault fault;
  fault.operation = "unfreeze";
  fault.count = -1;
  rig.cluster.guests().add_fault("vms", "vm1", fault);
  EndRestJob job = resting(rig, true);
  CHECK(end_rest(rig.seams, rig.settings, job).end == EndRestDone::End::kUnsettled);
  CHECK(rig.on_record()->phase == Phase::kResting);
  job.session = *rig.on_record();
  job.abandoned = true;
  CHECK(end_rest(rig.seams, rig.settings, job).end == EndRestDone::End::kEnded);
  CHECK(rig.calls("unfreeze") == 1);
  CHECK(rig.last_event()["reason"] == "ThawUnsettled");
  CHECK_FALSE(rig.on_record());
}

TEST_CASE("a session that was changed while it rested is planned again") {
  Rig rig;
  const EndRestJob job = resting(rig, true);
  Session changed = *rig.on_record();
  changed.doubt(reason::kAbandoned);
  REQUIRE(rig.machine.sessions.update(changed).ok());
  CHECK(end_rest(rig.seams, rig.settings, job).end == EndRestDone::End::kReplan);
  CHECK(rig.calls("unfreeze") == 0);
}

TEST_CASE("a session to thaw is begun for a guest that has none, and left alone where one is") {
  Rig rig;
  const OpenJob job{born_thawing(rig)};
  CHECK_FALSE(open(rig.seams, job).failed);
  const auto first = rig.on_record();
  REQUIRE(first);
  CHECK(first->phase == Phase::kThawing);
  CHECK_FALSE(open(rig.seams, job).failed);
  CHECK(rig.on_record()->uid == first->uid);
}

TEST_CASE("a session that has lost its label gets it back, as no watch shows it") {
  Rig rig;
  REQUIRE_FALSE(open(rig.seams, {born_thawing(rig)}).failed);
  const std::string lease = rig.on_record()->lease;
  rig.cluster.call("admin", "PATCH", "/apis/coordination.k8s.io/v1/namespaces/snapfreeze/leases/" + lease,
                   {{"metadata", {{"labels", nullptr}}}}, "application/merge-patch+json");
  REQUIRE_FALSE(rig.on_record()->listed);
  CHECK_FALSE(open(rig.seams, {born_thawing(rig)}).failed);
  CHECK(rig.on_record()->listed);
}

TEST_CASE("a session that cannot be written is tried again") {
  Rig rig;
  rig.fail("create", "leases", 500);
  CHECK(open(rig.seams, {born_thawing(rig)}).failed);
}

TEST_CASE("a guest is rescued only if it is the same one, and still says that it is frozen") {
  Rig rig;
  OpenJob job{born_thawing(rig), OpenJob::Kind::kRescue};
  CHECK_FALSE(open(rig.seams, job).failed);
  CHECK_FALSE(rig.on_record());
  freeze_by_hand(rig);
  job.session.vmi_uid = "another";
  CHECK_FALSE(open(rig.seams, job).failed);
  CHECK_FALSE(rig.on_record());
  job.session = born_thawing(rig);
  CHECK_FALSE(open(rig.seams, job).failed);
  CHECK(rig.on_record());
}

TEST_CASE("who does not lead begins no session") {
  Rig rig;
  rig.leadership.lost_after = 0;
  CHECK(open(rig.seams, {born_thawing(rig)}).failed);
  CHECK_FALSE(rig.on_record());
}

TEST_CASE("a snapshot whose session is gone is crash: session-lost") {
  Rig rig;
  const StrayJob job = stray_job(rig, StrayPlan::Action::kJudgeLost, "epoch-9");
  CHECK(judge_stray(rig.seams, rig.settings, job).end == StrayDone::End::kJudged);
  CHECK(verdict_of(rig) == "crash session-lost");
}

TEST_CASE("a snapshot whose session lives after all is left to it") {
  Rig rig;
  const Session living = rig.begin(Phase::kFrozen);
  const StrayJob job = stray_job(rig, StrayPlan::Action::kJudgeLost, living.uid);
  CHECK(judge_stray(rig.seams, rig.settings, job).end == StrayDone::End::kAlive);
  CHECK(verdict_of(rig) == " ");
}

TEST_CASE("a snapshot whose guest has a session of a newer version is left to that version") {
  Rig rig;
  rig.begin(Phase::kFrozen);
  rig.cluster.call("admin", "PATCH", "/apis/coordination.k8s.io/v1/namespaces/snapfreeze/leases/vms.vm1",
                   {{"metadata", {{"annotations", {{"snapfreeze.harvesterhci.io/format", "2"}}}}}},
                   "application/merge-patch+json");
  const StrayJob job = stray_job(rig, StrayPlan::Action::kJudgeLost, "epoch-9");
  CHECK(judge_stray(rig.seams, rig.settings, job).end == StrayDone::End::kAlive);
  CHECK(verdict_of(rig) == " ");
}

TEST_CASE("a snapshot is not lost while nobody can tell") {
  Rig rig;
  const StrayJob job = stray_job(rig, StrayPlan::Action::kJudgeLost, "epoch-9");
  rig.fail("get", "leases", 500);
  CHECK(judge_stray(rig.seams, rig.settings, job).end == StrayDone::End::kFailed);
}

TEST_CASE("a snapshot is offline only if the VM, read afresh, does not run") {
  Rig rig;
  StrayJob job = stray_job(rig, StrayPlan::Action::kJudge, freeze::kEpochOffline);
  job.plan.snapshots = {{job.facts, {Consistency::kOffline}}};
  SECTION("it was started") {
    CHECK(judge_stray(rig.seams, rig.settings, job).snapshots.at(0).second.reason == reason::kStarted);
    CHECK(verdict_of(rig) == "crash started");
  }
  SECTION("it is off") {
    rig.cluster.guests().stop("vms", "vm1");
    rig.runtime.sleep_for(60s);
    judge_stray(rig.seams, rig.settings, job);
    CHECK(verdict_of(rig) == "offline ");
  }
  SECTION("nobody can tell") {
    rig.fail("list", "virtualmachineinstances", 500);
    CHECK(judge_stray(rig.seams, rig.settings, job).end == StrayDone::End::kFailed);
    CHECK(verdict_of(rig) == " ");
  }
}

TEST_CASE("the verdict of a backup without a session is written, counted and said") {
  Rig rig;
  StrayJob job;
  job.facts = snapshot("s0", freeze::kEpochNone);
  job.backup = backup({"s0"});
  job.backup->uid = rig.make_backup();
  job.plan.action = StrayPlan::Action::kJudgeBackup;
  job.plan.verdict = {Consistency::kCrash, reason::kNoAgent};
  CHECK(judge_stray(rig.seams, rig.settings, job).end == StrayDone::End::kJudged);
  CHECK(rig.of_backup("consistency") == "crash");
  CHECK(rig.of_backup("reason") == "no-agent");
  CHECK(rig.last_event()["reason"] == "CrashConsistent");
  job.backup->uid = "another";
  CHECK(judge_stray(rig.seams, rig.settings, job).end == StrayDone::End::kGone);
}

namespace {

// Three disks of a VM that is off, all captured, and their backup.
struct OfflineRig : Rig {
  OfflineRig() : Rig(3) {
    cluster.guests().stop("vms", "vm1");
    runtime.sleep_for(60s);
    const std::string uid = make_backup();
    std::vector<std::string> names;
    for (int i = 0; i < 3; ++i) {
      StrayPlan::Judged disk;
      const std::string name = "b1-volume-vm1-disk-" + std::to_string(i);
      disk.facts = snapshot(name, freeze::kEpochOffline);
      disk.facts.uid = cluster.get("snapshot.storage.k8s.io/volumesnapshots", "vms", name)["metadata"]["uid"];
      disk.facts.claim = "vm1-disk-" + std::to_string(i);
      disk.facts.created = runtime.wall() - 3s;
      disk.verdict = {Consistency::kOffline};
      names.push_back(name);
      job.plan.snapshots.push_back(disk);
    }
    job.facts = job.plan.snapshots[0].facts;
    job.plan.action = StrayPlan::Action::kJudge;
    job.backup = backup(names);
    job.backup->uid = uid;
    cluster.locked([&] { cluster.faults().clear_ledger(); });
  }
  StrayDone judge() { return judge_stray(seams, settings, job); }

  StrayJob job;
};

}  // namespace

TEST_CASE("the disks of a backup at rest are judged with one look, one verdict and one Event of the backup") {
  OfflineRig rig;
  const StrayDone done = rig.judge();
  CHECK(done.end == StrayDone::End::kJudged);
  CHECK(done.snapshots.size() == 3);
  CHECK(rig.calls() == 3 + 3 + 2);
  for (const int disk : {0, 1, 2}) CHECK(rig.of_snapshot(disk, "consistency") == "offline");
  CHECK(rig.of_backup("consistency") == "offline");
  CHECK(rig.last_event()["reason"] == "OfflineConsistent");
  const auto metrics = rig.machine.metrics.exposition();
  CHECK(metrics.find(R"(snapfreeze_verdicts_total{consistency="offline",reason=""} 1)") != std::string::npos);
}

TEST_CASE("one disk that is not at rest leaves the others as they are, and makes the backup crash") {
  OfflineRig rig;
  std::string why;
  SECTION("somebody else has it") {
    const cluster::Json volume = {{"name", "disk"}, {"persistentVolumeClaim", {{"claimName", "vm1-disk-1"}}}};
    rig.cluster.call("tenant", "POST", "/api/v1/namespaces/vms/pods",
                     {{"apiVersion", "v1"},
                      {"kind", "Pod"},
                      {"metadata", {{"name", "copy"}}},
                      {"spec", {{"volumes", cluster::Json::array({volume})}}}});
    why = "shared-disk";
  }
  SECTION("it is not the VM's") {
    rig.job.plan.snapshots[1].facts.claim = "web-disk-0";
    why = "not-its-disk";
  }
  SECTION("it was judged before") {
    rig.job.plan.snapshots[1].facts.verdict = freeze::crash(reason::kLate);
    rig.job.plan.snapshots[1].verdict = {Consistency::kCrash, reason::kLate};
    why = "late";
  }
  SECTION("somebody else has written that it is") {
    rig.job.plan.snapshots[1].facts.claim = "web-disk-0";
    rig.job.plan.snapshots[1].facts.verdict = freeze::Verdict{Consistency::kOffline};
    why = "not-its-disk";
  }
  rig.judge();
  CHECK(rig.of_snapshot(0, "consistency") == "offline");
  CHECK(rig.of_backup("reason") == why);
}

TEST_CASE("a backup at rest of which a disk is not known yet is left for later") {
  OfflineRig rig;
  rig.job.plan.snapshots.pop_back();
  CHECK_FALSE(rig.judge().backup);
  CHECK(rig.of_snapshot(1, "consistency") == "offline");
  CHECK(rig.of_backup("consistency").empty());
}

TEST_CASE("disks at rest that nobody can look at are unverified in the end") {
  OfflineRig rig;
  rig.fail("list", "/pods", 500);
  CHECK(rig.judge().end == StrayDone::End::kFailed);
  rig.job.failures = kMaxLooks - 1;
  rig.judge();
  CHECK(rig.of_backup("reason") == "unverified");
}

TEST_CASE("a backup that has a verdict is neither counted nor spoken of again") {
  OfflineRig rig;
  rig.job.backup->verdict = said("crash");
  rig.job.plan.action = StrayPlan::Action::kJudgeBackup;
  rig.job.plan.verdict = {Consistency::kCrash, reason::kLate};
  CHECK(rig.judge().backup);
  CHECK(rig.of_backup("reason") == "late");
  CHECK(rig.last_event().empty());
  CHECK(rig.machine.metrics.exposition().find("snapfreeze_verdicts_total{") == std::string::npos);
}

TEST_CASE("a labelled backup that was refused at admission is counted and spoken of") {
  Rig rig;
  StrayJob job = stray_job(rig, StrayPlan::Action::kTell, freeze::kEpochNone);
  job.plan.verdict = {Consistency::kCrash, reason::kNoAgent};
  CHECK(judge_stray(rig.seams, rig.settings, job).end == StrayDone::End::kJudged);
  CHECK(rig.last_event()["message"] == "crash-consistent only: no-agent");
  CHECK(rig.last_event()["involvedObject"]["kind"] == "VolumeSnapshot");
  CHECK(rig.last_vm_event()["involvedObject"]["name"] == "vm1");
  const auto metrics = rig.machine.metrics.exposition();
  CHECK(metrics.find(R"(snapfreeze_verdicts_total{consistency="crash",reason="no-agent"} 1)") != std::string::npos);
}
