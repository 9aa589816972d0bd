// The judgement of snapshots without a session.
#include "sweeper/judge_stray.h"
#include "test/unit/sweeper/rig.h"

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;
using namespace snapfreeze::sweeper;
using freeze::Consistency;
using freeze::Phase;
using freeze::Session;
namespace reason = freeze::reason;

namespace {

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

TEST_CASE("a session that has lost its label gets it back for the sake of its snapshots") {
  Rig rig;
  const Session living = rig.begin(Phase::kThawing);
  rig.cluster.call("admin", "PATCH", "/apis/coordination.k8s.io/v1/namespaces/snapfreeze/leases/vms.vm1",
                   {{"metadata", {{"labels", nullptr}}}}, "application/merge-patch+json");
  REQUIRE_FALSE(rig.on_record()->listed);
  const StrayJob job = stray_job(rig, StrayPlan::Action::kJudgeLost, living.uid);
  CHECK(judge_stray(rig.seams, rig.settings, job).end == StrayDone::End::kAlive);
  CHECK(rig.on_record()->listed);
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
