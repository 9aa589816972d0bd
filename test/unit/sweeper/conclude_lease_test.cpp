// When the Lease of a session that was judged goes, stays or rests.
#include "test/unit/sweeper/conclude_rig.h"

namespace conclude_lease_test {

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;
using namespace snapfreeze::sweeper;
using freeze::Phase;
using freeze::Session;
using End = ConcludeDone::End;
namespace reason = freeze::reason;

TEST_CASE("the Lease stays, and the backup is not judged, until each snapshot is written") {
  ConcludeRig rig;
  rig.fail("patch", "disk-1", 500, 1);
  const ConcludeDone done = rig.conclude();
  CHECK(done.end == End::kFailed);
  CHECK(done.snapshots.size() == 1);
  CHECK(rig.of_backup("consistency").empty());
  CHECK(rig.on_record());
  CHECK(rig.conclude().end == End::kEnded);
  CHECK(rig.of_backup("consistency") == "filesystem");
}

TEST_CASE("the Lease stays until the backup is judged") {
  ConcludeRig rig;
  rig.fail("patch", "virtualmachinebackups", 500, 1);
  const ConcludeDone done = rig.conclude();
  CHECK(done.end == End::kFailed);
  CHECK(done.snapshots.size() == 2);
  CHECK(done.backups.empty());
  CHECK(rig.last_event().empty());
  CHECK(rig.on_record());
  CHECK(rig.conclude().end == End::kEnded);
  CHECK(rig.of_backup("consistency") == "filesystem");
}

TEST_CASE("the Lease stays until the Event is written") {
  ConcludeRig rig;
  rig.fail("create", "/events", 503, 1);
  CHECK(rig.conclude().end == End::kFailed);
  CHECK(rig.on_record());
  CHECK(rig.conclude().end == End::kEnded);
}

TEST_CASE("what is refused is tried for a while, and then left out") {
  ConcludeRig rig;
  rig.fail("patch", "disk-1", 403);
  CHECK(rig.conclude().end == End::kFailed);
  rig.job.patient = false;
  CHECK(rig.conclude().end == End::kEnded);
}

TEST_CASE("what fails for an hour is left out") {
  ConcludeRig rig;
  rig.fail("patch", "disk-1", 500);
  rig.job.patient = false;
  CHECK(rig.conclude().end == End::kFailed);
  rig.job.last_try = true;
  CHECK(rig.conclude().end == End::kEnded);
}

TEST_CASE("who does not lead any more writes no verdict") {
  for (const int asked : {0, 1, 2}) {
    ConcludeRig rig;
    rig.leadership.lost_after = asked;
    CHECK(rig.conclude().end == End::kFailed);
    CHECK(rig.of_snapshot(0, "consistency").empty() == (asked == 0));
    CHECK(rig.of_backup("consistency").empty() == (asked <= 1));
    CHECK(rig.on_record());
  }
}

TEST_CASE("a session rests when a call is unsettled, it lapsed, or it captured nothing in time") {
  ConcludeRig rig;
  SECTION("unsettled") {
    rig.job.session.unsettled = true;
  }
  SECTION("lapsed") {
    rig.job.session.doubt(reason::kLapsed);
  }
  SECTION("the agent was lost") {
    rig.job.session.doubt(reason::kAgentLost);
  }
  SECTION("VSS gave up") {
    rig.job.session.doubt(reason::kWindowsLimit);
  }
  SECTION("captured nothing") {
    rig.job.session.captured.clear();
  }
  SECTION("captured everything too late") {
    for (auto& [uid, after] : rig.job.session.captured) after = rig.job.session.timer;
  }
  const ConcludeDone done = rig.conclude();
  CHECK(done.end == End::kResting);
  CHECK(rig.on_record()->phase == Phase::kResting);
  CHECK(rig.on_record()->unsettled == rig.job.session.unsettled);
  CHECK(done.session.resource_version == rig.on_record()->resource_version);
  CHECK_FALSE(rig.of_backup("consistency").empty());
}

TEST_CASE("a guest that was never frozen need not rest") {
  ConcludeRig rig;
  rig.job.session.captured.clear();
  rig.job.session.frozen_by.reset();
  rig.job.session.doubt(reason::kFreezeFailed);
  CHECK(rig.conclude().end == End::kEnded);
  CHECK(rig.of_backup("reason") == "freeze-failed");
  CHECK(rig.of_backup("frozen-for").empty());
}

TEST_CASE("a session that was changed meanwhile is planned again") {
  ConcludeRig rig;
  Session changed = *rig.on_record();
  changed.doubt(reason::kAbandoned);
  REQUIRE(rig.machine.sessions.update(changed).ok());
  const ConcludeDone done = rig.conclude();
  CHECK(done.end == End::kReplan);
  CHECK_FALSE(done.gone);
  CHECK(done.session.doubts.front() == reason::kAbandoned);
}

TEST_CASE("a session that only undoes somebody else's freeze says nothing about the backup") {
  ConcludeRig rig;
  rig.job.members.clear();
  SECTION("a duplicate") {
    rig.job.session.doubt(reason::kDuplicate);
    CHECK(rig.conclude().end == End::kEnded);
    CHECK(rig.last_event().empty());
  }
  SECTION("a rescue") {
    rig.job.session.doubt(reason::kRescued);
    CHECK(rig.conclude().end == End::kEnded);
    CHECK(rig.last_event()["reason"] == "GuestRescued");
    CHECK(rig.last_vm_event()["reason"] == "GuestRescued");
    CHECK(rig.last_vm_event()["involvedObject"]["name"] == "vm1");
    CHECK(rig.machine.metrics.exposition().find("snapfreeze_rescues_total 1") != std::string::npos);
  }
  CHECK(rig.of_backup("consistency").empty());
}

TEST_CASE("a thaw that was never settled is crash, said in an Event, and the Lease goes") {
  ConcludeRig rig;
  rig.job.session.unsettled = true;
  rig.job.abandoned = true;
  CHECK(rig.conclude().end == End::kEnded);
  CHECK(rig.of_backup("reason") == "thaw-unsettled");
  CHECK_FALSE(rig.on_record());
  CHECK(rig.cluster.get("/events", "vms", "snapfreeze." + rig.job.session.uid + ".unsettled")["reason"] ==
        "ThawUnsettled");
}

}  // namespace conclude_lease_test
