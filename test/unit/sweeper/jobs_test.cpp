// The end of a rest, and sessions that begin with their thaw.
#include "sweeper/end_rest.h"
#include "sweeper/open.h"
#include "test/unit/sweeper/rig.h"

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;
using namespace snapfreeze::sweeper;
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
