// Which thaws are written down ahead, and what is claimed of a session whose thaw was.
#include "sweeper/arming.h"

#include "sweeper/make_jobs.h"
#include "test/unit/sweeper/rig.h"

namespace arming_test {

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;
using namespace snapfreeze::sweeper;
using freeze::Intent;
using freeze::Phase;
using Action = Plan::Action;
using Claims = std::map<std::string, Millis>;
using Doubts = std::vector<freeze::Reason>;
using Uids = std::vector<std::string>;
namespace reason = freeze::reason;

namespace {

// Two disks, both there, none captured, watched from the beginning.
Situation waiting(Phase phase = Phase::kFrozen) {
  Situation s;
  s.session = session(phase);
  s.sightings.first_seen = s.sightings.phase_since = kStart;
  s.sightings.from_birth = s.sightings.vmi_seen = true;
  s.guest.known = true;
  s.holds.push_back({harvester_hold(), {"disk-0", "disk-1"}, kStart, false, {}, {}});
  for (const std::string name : {"disk-0", "disk-1"}) {
    s.members.push_back({"uid-" + name, "vms", name, name, 0, std::nullopt, {}, {}});
  }
  if (phase == Phase::kArmed) s.session.intent = {Intent::Call::kUnfreeze, "me", {"uid-disk-0", "uid-disk-1"}};
  return s;
}

void capture(Situation& s, std::size_t member, Millis when) {
  s.members.at(member).captured = at(when);
}

// A backup that joined, with one disk.
void join(Situation& s) {
  s.session.holds.push_back(harvester_hold("b2"));
  s.holds.push_back({harvester_hold("b2"), {"other"}, kStart, false, {}, {}});
  s.members.push_back({"uid-other", "vms", "other", "disk-0", 1, std::nullopt, {}, {}});
}

Plan plan(const Situation& s, Millis now, const Progress& progress = {}) {
  return plan_session(s, progress, at(now), {}, "me");
}

Progress armed_by_us(Millis until = 2000ms) {
  Progress progress;
  progress.arm_tried = true;
  progress.armed_until = at(until).at;
  return progress;
}

}  // namespace

TEST_CASE("a session is armed when only cuts are waited for") {
  Situation s = waiting();
  CHECK(plan(s, 100ms).action == Action::kWait);
  CHECK(plan(s, 100ms).arm_after == Uids{"uid-disk-0", "uid-disk-1"});
  capture(s, 0, 50ms);
  CHECK(plan(s, 100ms).arm_after == Uids{"uid-disk-0", "uid-disk-1"});
  SECTION("not twice") {
    Progress progress;
    progress.arm_tried = true;
    CHECK(plan(s, 100ms, progress).arm_after.empty());
  }
  SECTION("not before each named disk has come") {
    s.holds[0].names.emplace_back("disk-2");
    CHECK(plan(s, 100ms).arm_after.empty());
    s.holds[0].elsewhere["disk-2"] = freeze::crash(reason::kBusy);
    CHECK(plan(s, 100ms).arm_after.size() == 2);
  }
  SECTION("not before the names are known") {
    s.holds[0].names.clear();
    CHECK(plan(s, 100ms).arm_after.empty());
  }
  SECTION("not for a part of its holds") {
    join(s);
    CHECK(plan(s, 100ms).arm_after.size() == 3);
    s.members.pop_back();
    CHECK(plan(s, 100ms).arm_after.empty());
  }
  SECTION("not with a doubt, or with a call that is not settled") {
    s.session.doubt(reason::kHarvesterTimer);
    CHECK(plan(s, 100ms).arm_after.empty());
    s.session.doubts.clear();
    s.session.unsettled = true;
    CHECK(plan(s, 100ms).arm_after.empty());
    s.session.unsettled = false;
    Progress progress;
    progress.doubts = {reason::kThawUnsettled};
    CHECK(plan(s, 100ms, progress).arm_after.empty());
  }
  SECTION("not on Windows, whose reply counts") {
    s.session.windows = true;
    CHECK(plan(s, 100ms).arm_after.empty());
  }
  SECTION("not when what was armed before may hide a call") {
    s.session.phase = Phase::kArmed;
    s.session.intent = {Intent::Call::kUnfreeze, "another", {"uid-disk-1"}};
    REQUIRE(plan(s, 100ms).action == Action::kWait);
    CHECK(plan(s, 100ms).arm_after.empty());
  }
  SECTION("not when it is complete") {
    capture(s, 1, 90ms);
    CHECK(plan(s, 100ms).action == Action::kThaw);
    CHECK(plan(s, 100ms).arm_after.empty());
  }
  SECTION("not with more disks than a Lease should list") {
    for (std::size_t i = 0; i < kMostArmed; ++i) {
      s.members.push_back({"uid-" + std::to_string(i), "vms", "disk-0", "disk-0", 0, std::nullopt, {}, {}});
    }
    CHECK(plan(s, 100ms).arm_after.empty());
  }
}

TEST_CASE("labelled snapshots are armed for by their count, and without one they are not") {
  Situation s = waiting();
  s.holds[0] = {label_hold(2), {}, kStart, false, {}, {}};
  CHECK(plan(s, 100ms).arm_after.size() == 2);
  s.holds[0].hold.members = 3;
  CHECK(plan(s, 100ms).arm_after.empty());
  s.holds[0].hold.members = 0;
  CHECK(plan(s, 100ms).arm_after.empty());
}

TEST_CASE("at the last capture the armed call leaves ahead of its record") {
  Situation s = waiting(Phase::kArmed);
  capture(s, 0, 500ms);
  CHECK(plan(s, 600ms, armed_by_us()).action == Action::kWait);
  capture(s, 1, 900ms);
  const Plan thaw = plan(s, 901ms, armed_by_us());
  CHECK(thaw.action == Action::kThaw);
  CHECK(thaw.armed_until == at(2000ms).at);
  CHECK_FALSE(thaw.unsettled);
  CHECK(thaw.captured == Claims{{"uid-disk-0", 500ms}, {"uid-disk-1", 900ms}});
  CHECK(thaw_job(s, thaw, armed_by_us(), "me").armed_until == at(2000ms).at);
}

TEST_CASE("where the record matters first, it comes first, also in a session that we armed") {
  Situation s = waiting(Phase::kArmed);
  capture(s, 0, 500ms);
  capture(s, 1, 900ms);
  Progress progress = armed_by_us();
  Millis now = 901ms;
  SECTION("the arms are old") {
    now = 2000ms;
  }
  SECTION("only Longhorn itself tells of a cut") {
    s.members[1].captured.reset();
    s.members[1].live = LiveCut{at(900ms), kServerStart};
  }
  SECTION("a doubt was seen") {
    s.sightings.kubevirt_snapshot = true;
  }
  SECTION("a doubt follows from what was not seen") {
    s.sightings.from_birth = false;
    REQUIRE(plan(s, now, progress).doubts == Doubts{reason::kUnverified});
  }
  SECTION("a doubt is on record") {
    s.session.doubt(reason::kThawUnsettled);
  }
  SECTION("a doubt was found by an earlier call") {
    progress.doubts = {reason::kThawUnsettled};
  }
  SECTION("an earlier thaw has failed") {
    progress.failures = 1;
  }
  SECTION("the guest shuts down") {
    s.guest.deleting = true;
  }
  SECTION("the guest is gone") {
    s.guest.gone = true;
  }
  SECTION("the guest must be looked at") {
    s.sightings.frozen_since = kStart - 20s;
  }
  SECTION("it is to be released without a capture that was waited for") {
    s.members[1].captured.reset();
    s.holds[0].deleted = true;
  }
  SECTION("a snapshot that was waited for is a member no more") {
    s.members.pop_back();
    s.holds[0].names.pop_back();
  }
  const Plan thaw = plan(s, now, progress);
  CHECK(thaw.action == Action::kThaw);
  CHECK_FALSE(thaw.armed_until);
  CHECK_FALSE(thaw.unsettled);
}

TEST_CASE("the armed call does not leave after the deadline") {
  Situation s = waiting(Phase::kArmed);
  s.session.timer = 5s;
  s.sightings.first_seen = kStart;
  capture(s, 0, 500ms);
  capture(s, 1, 900ms);
  CHECK(plan(s, 3000ms, armed_by_us(60s)).armed_until == at(4000ms).at);
  CHECK_FALSE(plan(s, 4000ms, armed_by_us(60s)).armed_until);
}

TEST_CASE("of a session that another leader armed, only what its call had to wait for is claimed") {
  Situation s = waiting(Phase::kArmed);
  s.session.intent.by = "another";
  join(s);
  capture(s, 0, 500ms);
  CHECK(plan(s, 1000ms).action == Action::kWait);
  capture(s, 1, 900ms);
  // Nothing can be claimed of the one that joined, so the guest is not held for it.
  CHECK(plan(s, 1000ms).action == Action::kThaw);
  CHECK(plan(s, 1000ms, armed_by_us()).action == Action::kWait);
  capture(s, 2, 1200ms);
  const Plan thaw = plan(s, 1300ms);
  CHECK(thaw.action == Action::kThaw);
  CHECK_FALSE(thaw.armed_until);
  CHECK(thaw.unsettled);
  CHECK(thaw.captured == Claims{{"uid-disk-0", 500ms}, {"uid-disk-1", 900ms}});
  SECTION("likewise of one that we armed in another life") {
    s.session.intent.by = "me";
    CHECK(plan(s, 1300ms).captured == thaw.captured);
    CHECK(plan(s, 1300ms).unsettled);
  }
  SECTION("likewise of what only Longhorn tells") {
    s.members[2].captured.reset();
    s.members[2].live = LiveCut{at(1200ms), kServerStart};
    CHECK(plan(s, 1300ms).unproven.empty());
  }
  SECTION("one that we armed ourselves, and have not thawed, holds the others as well") {
    s.session.intent.by = "me";
    CHECK(plan(s, 1300ms, armed_by_us()).captured.size() == 3);
    CHECK_FALSE(plan(s, 1300ms, armed_by_us()).unsettled);
  }
}

TEST_CASE("what was captured after the armed call had left is never claimed") {
  Situation s = waiting(Phase::kArmed);
  capture(s, 0, 500ms);
  capture(s, 1, 900ms);
  Progress progress = armed_by_us();
  progress.sent = Claims{{"uid-disk-0", 500ms}, {"uid-disk-1", 900ms}};
  join(s);
  s.sightings.lapsed = true;  // since our own call
  const auto phase = GENERATE(Phase::kArmed, Phase::kFrozen);
  s.session.phase = phase;
  for (const bool cut : {false, true}) {
    if (cut) capture(s, 2, 1200ms);
    const Plan again = plan(s, 1300ms, progress);
    CHECK(again.action == Action::kThaw);
    CHECK_FALSE(again.armed_until);
    CHECK(again.doubts.empty());
    CHECK(again.captured == *progress.sent);
    CHECK(thaw_job(s, again, progress, "me").was_sent);
    CHECK(thaw_job(s, again, progress, "me").sources.empty());
  }
}

}  // namespace arming_test
