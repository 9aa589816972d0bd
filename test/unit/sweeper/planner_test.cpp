// What is planned for a session, its disks apart.
#include "test/support/catch.h"
#include "test/unit/sweeper/planner_rig.h"

namespace planner_test {

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;
using namespace snapfreeze::sweeper;
using freeze::Intent;
using freeze::Phase;
using Action = Plan::Action;
namespace reason = freeze::reason;

TEST_CASE("at the deadline, from which no capture could count, the guest is thawed") {
  const Situation s = situation();
  const Plan before = plan(s, 28s);
  CHECK(before.action == Action::kWait);
  CHECK(before.wake == at(29s).at);  // T less the margin
  const Plan after = plan(s, 29s);
  CHECK(after.action == Action::kThaw);
  CHECK(after.doubts.empty());
  CHECK_FALSE(after.completed);
}

TEST_CASE("the deadline is one of the server's clock, and of ours, whichever comes first") {
  Situation s = situation();
  s.guest.reported_frozen = true;
  const Observed ahead{at(5s).at, kServerStart + 29s};
  CHECK(plan_session(s, {}, ahead, {}, "me").action == Action::kThaw);
  // The server's clock was stepped back.
  const Observed behind{at(29s).at, kServerStart - 1h};
  CHECK(plan_session(s, {}, behind, {}, "me").action == Action::kThaw);
  const Observed unknown{at(20s).at, Wall::max()};
  CHECK(plan_session(s, {}, unknown, {}, "me").wake == at(29s).at);
}

TEST_CASE("a capture that was observed on no known clock is never in time") {
  Situation s = captured(500ms, 900ms);
  s.members[0].captured->bound = Wall::max();
  CHECK(plan(s, 1000ms).captured.at("uid-disk-0") > std::chrono::hours(24));
}

TEST_CASE("the capture of a disk that is not the guest's is none of the session's") {
  Situation s = captured(500ms, 900ms);
  s.session.claims = {"disk-0"};
  CHECK(plan(s, 1000ms).captured == std::map<std::string, Millis>{{"uid-disk-0", 500ms}});
}

TEST_CASE("the bound of a capture is rounded up") {
  Situation s = captured(500ms, 900ms);
  s.members[0].captured->bound += std::chrono::nanoseconds(1);
  CHECK(plan(s, 1000ms).captured.at("uid-disk-0") == 501ms);
}

TEST_CASE("what was seen of the guest ends the session at once, with its doubt") {
  const auto doubts_of = [](const auto& change) {
    Situation s = situation();
    change(s);
    const Plan thaw = plan(s, 1000ms);
    CHECK(thaw.action == Action::kThaw);
    CHECK_FALSE(thaw.guest_gone);
    return thaw.doubts;
  };
  CHECK(doubts_of([](Situation& s) { s.sightings.lapsed = true; }) == Doubts{reason::kLapsed});
  CHECK(doubts_of([](Situation& s) { s.sightings.agent_lost = true; }) == Doubts{reason::kAgentLost});
  CHECK(doubts_of([](Situation& s) { s.sightings.migrated = true; }) == Doubts{reason::kMigrated});
  CHECK(doubts_of([](Situation& s) { s.sightings.kubevirt_snapshot = true; }) == Doubts{reason::kKubevirtSnapshot});
  CHECK(doubts_of([](Situation& s) { s.guest.deleting = true; }) == Doubts{reason::kRestarted});
}

TEST_CASE("a doubt also counts when the disks are complete") {
  Situation s = captured(500ms, 900ms);
  s.sightings.lapsed = true;
  CHECK(plan(s, 1000ms).doubts == Doubts{reason::kLapsed});
}

TEST_CASE("a guest that is gone is to be read afresh") {
  Situation s = situation();
  s.guest.gone = true;
  CHECK(plan(s, 1000ms).action == Action::kThaw);
  CHECK(plan(s, 1000ms).guest_gone);
}

TEST_CASE("a guest that was never seen may only be late") {
  Situation s = situation();
  s.guest.gone = true;
  s.sightings.vmi_seen = false;
  CHECK(plan(s, 4999ms).action == Action::kWait);
  CHECK(plan(s, 4999ms).wake == at(5s).at);
  CHECK(plan(s, 5s).guest_gone);
  s.guest.known = false;
  CHECK_FALSE(plan(s, 5s).guest_gone);
}

TEST_CASE("a freeze that takes longer than any may is abandoned") {
  const Situation s = situation(Phase::kFreezing);
  CHECK(plan(s, 19999ms).action == Action::kWait);
  CHECK(plan(s, 19999ms).wake == at(20s).at);
  const Plan thaw = plan(s, 20s);
  CHECK(thaw.action == Action::kThaw);
  CHECK(thaw.doubts == Doubts{reason::kAbandoned});
  CHECK(thaw.unsettled);
}

TEST_CASE("a session that another one left to thaw is thawed") {
  const Plan thaw = plan(situation(Phase::kThawing), 1000ms);
  CHECK(thaw.action == Action::kThaw);
  CHECK_FALSE(thaw.unsettled);
  CHECK(thaw.captured.empty());
}

TEST_CASE("another leader's call in a session to thaw may be carried out late") {
  Situation s = situation(Phase::kThawing);
  s.session.intent = {Intent::Call::kUnfreeze, "another"};
  CHECK(plan(s, 1000ms).unsettled);
  CHECK(plan(s, 1000ms).doubts.empty());
  s.session.windows = true;
  CHECK(plan(s, 1000ms).doubts == Doubts{reason::kThawUnsettled});
  s.session.intent.by = "me";
  CHECK_FALSE(plan(s, 1000ms).unsettled);
  s.session.intent = {Intent::Call::kFreeze, "webhook-0/1"};
  CHECK_FALSE(plan(s, 1000ms).unsettled);
}

TEST_CASE("a session whose guest is thawed is concluded") {
  Progress progress;
  progress.thawed = true;
  CHECK(plan(situation(Phase::kThawing), 1000ms, progress).action == Action::kConclude);
}

TEST_CASE("while the guest migrates its thaw does not count, and is made again when that is over") {
  Situation s = situation(Phase::kThawing);
  Progress progress;
  progress.thawed = true;
  progress.migrating_since = at(0ms).at;
  s.guest.migrating = true;
  CHECK(plan(s, 1000ms, progress).action == Action::kWait);
  CHECK(plan(s, 59min, progress).action == Action::kWait);
  CHECK(plan(s, 1h, progress).action == Action::kThaw);  // it may never end
  s.guest.migrating = false;
  CHECK(plan(s, 1000ms, progress).action == Action::kThaw);
}

TEST_CASE("a freeze that an admission reports after our thaw is undone as well") {
  Situation s = situation(Phase::kThawing);
  Progress progress;
  progress.thawed = true;
  s.session.unsettled = true;
  CHECK(plan(s, 1000ms, progress).action == Action::kThaw);
  progress.lease_unsettled = true;
  CHECK(plan(s, 1000ms, progress).action == Action::kConclude);
}

TEST_CASE("whatever is planned waits for its backoff") {
  Progress progress;
  progress.not_before = at(2s).at;
  for (const Phase phase : {Phase::kFreezing, Phase::kFrozen, Phase::kThawing}) {
    Situation s = captured(500ms, 900ms);
    s.session.phase = phase;
    CHECK(plan(s, 1999ms, progress).action == Action::kWait);
    CHECK(plan(s, 1999ms, progress).wake == at(2s).at);
  }
}

TEST_CASE("the backoff doubles from 0.2 s to 30 s") {
  CHECK(backoff(1) == 200ms);
  CHECK(backoff(2) == 400ms);
  CHECK(backoff(8) == 25600ms);
  CHECK(backoff(9) == 30s);
  CHECK(backoff(1000) == 30s);
}

TEST_CASE("a thaw that fails for an hour is given up, a verdict is not") {
  Progress progress;
  progress.failing_since = at(0ms).at;
  CHECK(plan(situation(Phase::kThawing), 3599s, progress).action == Action::kThaw);
  CHECK(plan(situation(Phase::kThawing), 3600s, progress).action == Action::kAbandon);
  progress.thawed = true;
  CHECK(plan(situation(Phase::kThawing), 3600s, progress).action == Action::kConclude);
}

TEST_CASE("a session rests for the cool-down, and for the late calls if one may still come") {
  Situation s = situation(Phase::kResting);
  freeze::Policy policy;
  policy.cool_down = 10s;
  const auto rests = [&](Millis now, const Progress& progress = {}) {
    return plan_session(s, progress, at(now), policy, "me").action == Action::kWait;
  };
  CHECK(rests(9999ms));
  CHECK_FALSE(rests(10s));
  s.session.unsettled = true;
  CHECK(rests(59999ms));
  CHECK(plan_session(s, {}, at(60s), policy, "me").action == Action::kEndRest);
  Progress progress;
  progress.not_before = at(120s).at;
  CHECK(rests(119s, progress));
  progress.failing_since = at(0ms).at;
  CHECK(plan_session(s, progress, at(3600s), policy, "me").action == Action::kAbandon);
}

TEST_CASE("a guest that does not report frozen after two polls has lapsed") {
  Situation s = situation();
  s.sightings.frozen_since = at(1s).at;
  CHECK(plan(s, 11999ms).action == Action::kWait);
  CHECK(plan(s, 1s).wake <= at(12s).at);
  CHECK(plan(s, 12s).action == Action::kThaw);
  CHECK(plan(s, 12s).doubts == Doubts{reason::kLapsed});
  s.guest.reported_frozen = true;
  CHECK(plan(s, 12s).action == Action::kWait);
}

TEST_CASE("a session that was not watched from its birth proves nothing, unless the guest reports frozen") {
  Situation s = captured(500ms, 900ms);
  s.sightings.from_birth = false;
  CHECK(plan(s, 1s).doubts == Doubts{reason::kUnverified});
  s.sightings.reported_frozen = true;
  CHECK(plan(s, 1s).doubts.empty());
  // The server's clock went back since the guest was frozen, and bounds nothing.
  CHECK(plan_session(s, {}, {at(1s).at, kServerStart}, {}, "me").doubts == Doubts{reason::kUnverified});
}

TEST_CASE("a session that was thawed before, and that a restored etcd has brought back, proves nothing") {
  Situation s = captured(500ms, 900ms);
  s.sightings.reported_frozen = true;
  s.sightings.released = at(0ms).at;
  CHECK(plan(s, 1s).doubts == Doubts{reason::kUnverified});
}

TEST_CASE("a capture is bounded by our own clock, too, as the server's may have been stepped back") {
  Situation s = captured(500ms, 20s);
  s.members[1].captured->bound = kServerStart + 2s;
  CHECK(plan(s, 20s).captured.at("uid-disk-1") == 20s);
}

TEST_CASE("a server's clock that was set back a while ago bounds as if it had not been") {
  const Observed set_back{at(25s).at, kServerStart + 10s, kServerStart + 26s};
  SECTION("a capture in a session that we adopted late") {
    Situation s = captured(500ms, 900ms);
    s.sightings.first_seen = at(24s).at;
    s.members[1].captured = set_back;
    CHECK(plan_session(s, {}, set_back, {}, "me").captured.at("uid-disk-1") == 26s);
  }
  SECTION("the deadline") {
    Situation s = situation();
    s.sightings.first_seen = at(24s).at;
    s.guest.reported_frozen = true;
    CHECK(plan_session(s, {}, set_back, {}, "me").wake == set_back.at + 3s);
  }
  SECTION("what the guest reports") {
    Situation s = captured(500ms, 900ms);
    s.session.frozen_by = kServerStart + 11s;
    s.sightings.from_birth = false;
    s.sightings.reported_frozen = true;
    CHECK(plan_session(s, {}, set_back, {}, "me").doubts.empty());
    const Observed forgotten{at(25s).at, kServerStart + 10s, kServerStart + 10s};
    CHECK(plan_session(s, {}, forgotten, {}, "me").doubts == Doubts{reason::kUnverified});
  }
}

TEST_CASE("nothing is ever due of a session of a newer version, whatever is seen of its guest") {
  Situation s = situation(Phase::kNewer);
  s.session.unsettled = true;
  s.members[0].captured = at(500ms);
  s.members[1].captured = at(900ms);
  s.sightings.lapsed = true;
  s.guest.gone = GENERATE(false, true);
  for (const Millis now : {0ms, 1000ms, 60'000ms, 100'000'000ms}) {
    CHECK(plan(s, now).action == Action::kWait);
    CHECK(plan(s, now).wake == Mono::max());
  }
}

}  // namespace planner_test
