// What Longhorn's own word of a cut does to a session: it thaws the guest, and proves nothing by itself.
#include "freeze/names.h"
#include "sweeper/make_jobs.h"
#include "test/support/catch.h"
#include "test/unit/sweeper/planner_rig.h"

namespace longhorn_plan_test {

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;
using namespace snapfreeze::sweeper;
using freeze::Phase;
using Action = Plan::Action;
namespace reason = freeze::reason;

namespace {

// Two disks: of one, Longhorn has said at 0.3 s that it is cut; of the other nobody has said anything.
Situation half_told() {
  Situation s = situation();
  for (Member& member : s.members) member.created = kServerStart;
  s.members[0].live = LiveCut{at(300ms), kServerStart};
  return s;
}

Situation told() {
  Situation s = half_told();
  s.members[1].live = LiveCut{at(350ms), kServerStart};
  return s;
}

void confirm(Member& member, Millis when) {
  member.captured = at(when);
  member.confirmed = Confirmed::kYes;
}

// Thawed at 0.4 s.
struct Thawed {
  Thawed() : situation(told()) {
    progress.unproven = plan(situation, 400ms).unproven;
    progress.thawed = true;
    situation.session.phase = Phase::kThawing;
  }
  Situation situation;
  Progress progress;
};

}  // namespace

TEST_CASE("the guest is thawed once Longhorn or an object of the API has told of each disk") {
  CHECK(plan(half_told(), 400ms).action == Action::kWait);
  const Plan thaw = plan(told(), 400ms);
  CHECK(thaw.action == Action::kThaw);
  CHECK(thaw.captured.empty());
  CHECK(thaw.unproven == std::map<std::string, UnprovenCut>{{"uid-disk-0", {300ms, at(300ms).at}},
                                                            {"uid-disk-1", {350ms, at(350ms).at}}});
  CHECK(thaw.completed == at(350ms).at);
  CHECK(thaw.doubts.empty());
  Situation mixed = half_told();
  mixed.members[1].captured = at(360ms);
  CHECK(plan(mixed, 400ms).action == Action::kThaw);
  CHECK(plan(mixed, 400ms).captured == std::map<std::string, Millis>{{"uid-disk-1", 360ms}});
}

TEST_CASE("what was confirmed before the thaw is on record with the moment at which Longhorn said it") {
  Situation s = told();
  confirm(s.members[0], 390ms);
  const Plan thaw = plan(s, 400ms);
  CHECK(thaw.captured == std::map<std::string, Millis>{{"uid-disk-0", 300ms}});
  CHECK(thaw.unproven.size() == 1);
}

TEST_CASE("a live cut that is denied before the thaw counts from when the object told of the real one") {
  Situation s = told();
  s.members[0].captured = at(390ms);
  s.members[0].confirmed = Confirmed::kNo;
  CHECK(plan(s, 400ms).captured == std::map<std::string, Millis>{{"uid-disk-0", 390ms}});
}

TEST_CASE("live cuts claim as much as others, so that what must be seen of the guest must be seen for them too") {
  Situation s = told();
  s.sightings.from_birth = false;
  CHECK(plan(s, 400ms).doubts == std::vector<freeze::Reason>{reason::kUnverified});
}

TEST_CASE("the verdict waits until each live cut is confirmed, for T at most") {
  Thawed rig;
  CHECK(plan(rig.situation, 1000ms, rig.progress).action == Action::kWait);
  CHECK(plan(rig.situation, 1000ms, rig.progress).wake == at(30350ms).at);
  confirm(rig.situation.members[0], 5s);
  CHECK(plan(rig.situation, 5s, rig.progress).action == Action::kWait);
  SECTION("confirmed") {
    confirm(rig.situation.members[1], 6s);
  }
  SECTION("denied") {
    rig.situation.members[1].confirmed = Confirmed::kNo;
  }
  SECTION("gone") {
    rig.situation.members.pop_back();
  }
  SECTION("there is a doubt anyway") {
    rig.progress.doubts.push_back(reason::kMigrated);
  }
  SECTION("never") {
    CHECK(plan(rig.situation, 30349ms, rig.progress).action == Action::kWait);
    CHECK(plan(rig.situation, 30350ms, rig.progress).action == Action::kConclude);
    return;
  }
  CHECK(plan(rig.situation, 6s, rig.progress).action == Action::kConclude);
}

TEST_CASE("a leader that did not hear it itself waits for nothing") {
  Thawed rig;
  rig.progress.unproven.clear();
  CHECK(plan(rig.situation, 1000ms, rig.progress).action == Action::kConclude);
}

TEST_CASE("what was confirmed goes on record before it is judged, and the rest is called not confirmed") {
  Thawed rig;
  confirm(rig.situation.members[0], 5s);
  const ConcludeJob job = conclude_job(rig.situation, rig.progress, at(31s).at);
  CHECK(job.session.captured == std::map<std::string, Millis>{{"uid-disk-0", 300ms}});
  REQUIRE(job.confirmed_after.size() == 1);
  CHECK(job.confirmed_after[0] == 4700ms);
  CHECK_FALSE(job.members[0].not_confirmed);
  CHECK(job.members[1].not_confirmed);
  // Once it is there, it is not written again.
  rig.situation.session.captured = job.session.captured;
  CHECK(conclude_job(rig.situation, rig.progress, at(32s).at).confirmed_after.empty());
}

TEST_CASE("a cut of which Longhorn spoke only after the thaw had begun proves nothing") {
  Thawed rig;
  rig.progress.unproven.erase("uid-disk-1");
  for (Member& member : rig.situation.members) confirm(member, 5s);
  const ConcludeJob job = conclude_job(rig.situation, rig.progress, at(6s).at);
  CHECK(job.session.captured.size() == 1);
  CHECK(job.confirmed_after.size() == 1);
}

TEST_CASE("a thaw counts its captures by who told of them first, once") {
  Situation s = half_told();
  s.members[1].captured = at(360ms);
  s.members[1].source = Captures::Source::kContent;
  const ThawJob first = thaw_job(s, plan(s, 400ms), {}, "me");
  CHECK(first.sources == std::vector<std::string_view>{"longhorn-live", "content"});
  s.session.phase = Phase::kThawing;
  CHECK(thaw_job(s, plan(s, 500ms), {}, "me").sources.empty());
}

}  // namespace longhorn_plan_test
