// Until when a session waits for its disks.
#include "test/support/catch.h"
#include "test/unit/sweeper/planner_rig.h"

namespace planner_holds_test {

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;
using namespace snapfreeze::sweeper;
using Action = Plan::Action;
namespace reason = freeze::reason;

TEST_CASE("the guest is held until the last of the named disks is captured") {
  Situation s = situation();
  s.members[0].captured = at(500ms);
  CHECK(plan(s, 1000ms).action == Action::kWait);
  s.members[1].captured = at(900ms);
  const Plan thaw = plan(s, 1000ms);
  CHECK(thaw.action == Action::kThaw);
  CHECK(thaw.doubts.empty());
  CHECK_FALSE(thaw.unsettled);
  CHECK(thaw.captured == std::map<std::string, Millis>{{"uid-disk-0", 500ms}, {"uid-disk-1", 900ms}});
  CHECK(thaw.completed == at(900ms).at);
}

TEST_CASE("disks that are named but have not appeared are waited for") {
  Situation s = captured(500ms, 900ms);
  s.holds[0].names.emplace_back("disk-2");
  CHECK(plan(s, 1000ms).action == Action::kWait);
}

TEST_CASE("a disk that was admitted without us is not waited for") {
  Situation s = captured(500ms, 900ms);
  s.holds[0].names.emplace_back("disk-2");
  s.holds[0].elsewhere["disk-2"] = freeze::crash(reason::kBusy);
  CHECK(plan(s, 1000ms).action == Action::kThaw);
}

TEST_CASE("while the names are not known nothing is complete") {
  Situation s = captured(500ms, 900ms);
  s.holds[0].names.clear();
  CHECK(plan(s, 1000ms).action == Action::kWait);
}

TEST_CASE("a session with two backups is held until both are complete") {
  Situation s = captured(500ms, 900ms);
  s.holds.push_back({harvester_hold("b2"), {"other"}, kStart, false, {}, {}});
  CHECK(plan(s, 1000ms).action == Action::kWait);
  s.members.push_back({"uid-other", "vms", "other", "other", 1, at(1500ms), {}, {}});
  CHECK(plan(s, 2000ms).action == Action::kThaw);
}

TEST_CASE("a disk of the same name in another backup does not count") {
  Situation s = captured(500ms, 900ms);
  s.members[1].hold = std::nullopt;
  CHECK(plan(s, 1000ms).action == Action::kWait);
}

TEST_CASE("a backup has stalled when no new member came for 5 s and those that did are captured") {
  Situation s = captured(500ms, 900ms);
  s.holds[0].names.emplace_back("disk-2");
  s.holds[0].quiet_since = at(1000ms).at;
  CHECK(plan(s, 5999ms).action == Action::kWait);
  CHECK(plan(s, 5999ms).wake == at(6000ms).at);
  CHECK(plan(s, 6000ms).action == Action::kThaw);
}

TEST_CASE("a member that is not captured keeps a backup from stalling") {
  Situation s = situation();
  s.members[0].captured = at(500ms);
  CHECK(plan(s, 20s).action == Action::kWait);
}

TEST_CASE("a session for which no member ever came stalls too") {
  Situation s = situation();
  s.members.clear();
  CHECK(plan(s, 4999ms).action == Action::kWait);
  CHECK(plan(s, 5s).action == Action::kThaw);
}

TEST_CASE("labelled snapshots with a count are complete at that count") {
  Situation s = captured(500ms, 900ms);
  s.holds = {{label_hold(2), {}, kStart, false, {}, {}}};
  CHECK(plan(s, 1000ms).action == Action::kThaw);
  s.holds[0].hold.members = 3;
  CHECK(plan(s, 1000ms).action == Action::kWait);
}

TEST_CASE("labelled snapshots without a count are complete when nothing new came for 2 s") {
  Situation s = captured(500ms, 900ms);
  s.holds = {{label_hold(0), {}, at(800ms).at, false, {}, {}}};
  CHECK(plan(s, 2799ms).action == Action::kWait);
  CHECK(plan(s, 2800ms).action == Action::kThaw);
  s.members[1].captured.reset();
  CHECK(plan(s, 2800ms).action == Action::kWait);
}

TEST_CASE("a deleted member or backup ends the wait for it") {
  Situation s = situation();
  s.holds[0].deleted = true;
  CHECK(plan(s, 1000ms).action == Action::kThaw);
  CHECK(plan(s, 1000ms).doubts.empty());
  s.holds.push_back({harvester_hold("b2"), {"other"}, kStart, false, {}, {}});
  s.members.push_back({"uid-other", "vms", "other", "other", 1, std::nullopt, {}, {}});
  CHECK(plan(s, 1000ms).action == Action::kWait);
}

TEST_CASE("the gather window begins when the guest is frozen, however long that took") {
  Situation s = situation();
  s.members.clear();
  s.sightings.frozen_since = at(7s).at;
  s.guest.reported_frozen = true;
  CHECK(plan(s, 11999ms).action == Action::kWait);
  CHECK(plan(s, 12s).action == Action::kThaw);
}

TEST_CASE("a count of members is waited for until T, and no longer than the disks that came take") {
  Situation s = captured(500ms, 900ms);
  s.guest.reported_frozen = true;
  s.holds[0].hold = label_hold(3);
  s.holds[0].names.clear();
  CHECK(plan(s, 28s).action == Action::kWait);
  CHECK(plan(s, 29s).action == Action::kThaw);
  s.members.push_back({"uid-disk-2", "vms", "disk-2", "disk-2", 0, at(14s), {}, {}});
  CHECK(plan(s, 14s).action == Action::kThaw);
}

TEST_CASE("a driver that only says no releases the guest within 8 s of its first error") {
  Situation s = situation();
  s.guest.reported_frozen = true;
  s.members[0].captured = at(500ms);
  s.members[1].failed_since = at(1s).at;
  CHECK(plan(s, 8s).action == Action::kWait);
  CHECK(plan(s, 8s).wake < at(9s).at);
  CHECK(plan(s, 8900ms).action == Action::kThaw);
  SECTION("each capture begins the wait anew") {
    s.members[0].captured = at(4s);
    CHECK(plan(s, 11s).action == Action::kWait);
    CHECK(plan(s, 12s).action == Action::kThaw);
  }
  SECTION("not while a disk is missing that has not failed") {
    s.members.push_back({"uid-disk-2", "vms", "disk-2", "disk-2", 0, std::nullopt, {}, {}});
    CHECK(plan(s, 20s).action == Action::kWait);
  }
  SECTION("not while the other disks are still being created") {
    s.holds[0].quiet_since = at(6s).at;
    s.holds[0].names.emplace_back("disk-2");
    CHECK(plan(s, 10s).action == Action::kWait);
    CHECK(plan(s, 11s).action == Action::kThaw);
  }
}

}  // namespace planner_holds_test
