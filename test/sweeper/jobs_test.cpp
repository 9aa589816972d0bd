// The end of a rest, sessions that begin with their thaw, and snapshots without a session.
#include "sweeper/end_rest.h"
#include "sweeper/judge_stray.h"
#include "sweeper/open.h"
#include "test/sweeper/rig.h"

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
  const OpenJob job{born_thawing(rig), false};
  CHECK_FALSE(open(rig.seams, job).failed);
  const auto first = rig.on_record();
  REQUIRE(first);
  CHECK(first->phase == Phase::kThawing);
  CHECK_FALSE(open(rig.seams, job).failed);
  CHECK(rig.on_record()->uid == first->uid);
}

TEST_CASE("a session that cannot be written is tried again") {
  Rig rig;
  rig.fail("create", "leases", 500);
  CHECK(open(rig.seams, {born_thawing(rig), false}).failed);
}

TEST_CASE("a guest is rescued only if it is the same one, and still says that it is frozen") {
  Rig rig;
  OpenJob job{born_thawing(rig), true};
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
  CHECK(open(rig.seams, {born_thawing(rig), false}).failed);
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

TEST_CASE("a snapshot is not lost while nobody can tell") {
  Rig rig;
  const StrayJob job = stray_job(rig, StrayPlan::Action::kJudgeLost, "epoch-9");
  rig.fail("get", "leases", 500);
  CHECK(judge_stray(rig.seams, rig.settings, job).end == StrayDone::End::kFailed);
}

TEST_CASE("a snapshot is offline only if the VM, read afresh, does not run") {
  Rig rig;
  StrayJob job = stray_job(rig, StrayPlan::Action::kJudge, freeze::kEpochOffline);
  job.plan.snapshots = {{job.facts, {Consistency::kOffline, ""}}};
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
    rig.fail("get", "virtualmachineinstances", 500);
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
