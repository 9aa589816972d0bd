#include "freeze/names.h"
#include "test/support/catch.h"
#include "test/unit/sweeper/build.h"

namespace strays_test {

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;
using namespace snapfreeze::sweeper;
using freeze::Consistency;
using freeze::crash;
using freeze::Verdict;
using Action = StrayPlan::Action;
namespace reason = freeze::reason;

namespace {

const Verdict kOfflineVerdict{Consistency::kOffline};

Evidence evidence(const std::string& name, const std::string& epoch) {
  return {snapshot(name, epoch), std::nullopt, false, false, std::nullopt};
}

Stray stray(const std::string& epoch) {
  Stray s;
  s.own = evidence("disk-0", epoch);
  s.since = kStart;
  return s;
}

// As member `i` of its backup it is what `change` makes of it.
template <class Change>
Stray with(Stray s, std::size_t i, const Change& change) {
  change(s.members[i]);
  s.own = s.members[0];
  return s;
}

// Of a backup that has two disks.
Stray of_backup(const std::string& epoch, const Verdict& verdict) {
  Stray s = stray(epoch);
  s.backup = backup({"disk-0", "disk-1"});
  s.members = {evidence("disk-0", epoch), evidence("disk-1", epoch)};
  return with(s, 0, [&](Evidence& own) { own.facts.verdict = verdict; });
}

void see_capture(Evidence& evidence) {
  evidence.captured = kStart;
  evidence.watched = true;
}

Stray offline() {
  Stray s = stray(freeze::kEpochOffline);
  see_capture(s.own);
  return s;
}

Stray offline_backup() {
  Stray s = stray(freeze::kEpochOffline);
  s.backup = backup({"disk-0", "disk-1"});
  s.members = {evidence("disk-0", freeze::kEpochOffline), evidence("disk-1", freeze::kEpochOffline)};
  return with(s, 0, see_capture);
}

Verdict only(const StrayPlan& plan) {
  REQUIRE(plan.snapshots.size() == 1);
  return plan.snapshots[0].verdict;
}

StrayPlan plan(const Stray& s, Millis now = 0ms) {
  return plan_stray(s, at(now).at);
}

}  // namespace

TEST_CASE("a snapshot whose session is not known gets a grace, as the watch of the sessions may lag") {
  CHECK(plan(stray("epoch-9"), 9999ms).action == Action::kWait);
  CHECK(plan(stray("epoch-9"), 9999ms).wake == at(10s).at);
  CHECK(plan(stray("epoch-9"), 10s).action == Action::kJudgeLost);
}

TEST_CASE("a verdict of the webhook, or of a lost session, is passed on to the backup") {
  for (const std::string epoch : {freeze::kEpochNone, "epoch-9", freeze::kEpochOffline}) {
    const StrayPlan its_plan = plan(of_backup(epoch, crash(reason::kNoAgent)));
    CHECK(its_plan.action == Action::kJudgeBackup);
    CHECK(its_plan.verdict == crash(reason::kNoAgent));
  }
}

TEST_CASE("a backup that is crash already needs nothing more") {
  Stray s = of_backup(freeze::kEpochNone, crash(reason::kNoAgent));
  s.backup->verdict = said("crash");
  CHECK(plan(s).action == Action::kForget);
}

TEST_CASE("of several crashed disks one speaks for the backup") {
  Stray s = of_backup(freeze::kEpochNone, crash(reason::kBusy));
  s = with(s, 1, [](Evidence& other) { other.facts.verdict = said("crash"); });
  CHECK(plan(s).action == Action::kJudgeBackup);
  s.own = s.members[1];
  CHECK(plan(s).action == Action::kWait);
}

TEST_CASE("a label that was planted in another namespace is ignored") {
  Stray s = stray("epoch-9");
  s.planted = true;
  CHECK(plan(s).action == Action::kForget);
}

TEST_CASE("a snapshot that is news waits a little for its backup, an old one does not") {
  Stray s = of_backup(freeze::kEpochNone, crash(reason::kNoAgent));
  s.backup.reset();
  CHECK(plan(s).action == Action::kForget);
  s.fresh = true;
  CHECK(plan(s).action == Action::kWait);
  CHECK(plan(s, 10s).action == Action::kForget);
}

TEST_CASE("finished snapshots of a session that has ended need nothing more") {
  CHECK(plan(of_backup("epoch-9", {Consistency::kFilesystem})).action == Action::kForget);
}

TEST_CASE("an offline snapshot is judged when it is captured") {
  Stray s = offline();
  s.own.captured.reset();
  CHECK(plan(s, 1h).action == Action::kWait);
  CHECK(plan(offline()).action == Action::kJudge);
  CHECK(only(plan(offline())) == kOfflineVerdict);
  s = offline();
  s.own.facts.verdict = said("offline");
  CHECK(plan(s).action == Action::kForget);
  s.own.captured.reset();  // an object may say so no longer
  CHECK(plan(s).action == Action::kForget);
}

TEST_CASE("a snapshot is not offline when its VM was started, or nobody looked all the time") {
  Stray s = offline();
  s.own.vmi_seen = true;
  CHECK(only(plan(s)) == crash(reason::kStarted));
  s = offline();
  s.own.watched = false;
  CHECK(only(plan(s)) == crash(reason::kUnverified));
  s = offline();
  s.own.facts.vm.clear();
  CHECK(only(plan(s)) == crash(reason::kUnverified));
}

TEST_CASE("the disks of an offline backup are judged together, by one of them") {
  Stray s = with(offline_backup(), 1, see_capture);
  CHECK(plan(s).action == Action::kJudge);
  CHECK(plan(s).snapshots.size() == 2);
  s.own = s.members[1];
  CHECK(plan(s).action == Action::kWait);
}

TEST_CASE("a disk of an offline backup does not wait long for the others") {
  CHECK(plan(offline_backup(), 1999ms).action == Action::kWait);
  CHECK(plan(offline_backup(), 1999ms).wake == at(2s).at);
  CHECK(only(plan(offline_backup(), 2s)) == kOfflineVerdict);
}

TEST_CASE("of an offline backup only what we saw ourselves counts for it, and any annotation against it") {
  Stray s = with(offline_backup(), 1, see_capture);
  s = with(s, 1, [](Evidence& other) {
    other.facts.verdict = said("offline");
    other.watched = false;
  });
  CHECK(plan(s).snapshots[1].verdict == crash(reason::kUnverified));
  s = with(s, 1, [](Evidence& other) {
    other.watched = true;
    other.facts.verdict = crash(reason::kStarted);
  });
  CHECK(plan(s).snapshots[1].verdict == crash(reason::kStarted));
  s = with(with(offline_backup(), 1, see_capture), 0, [](Evidence& own) {
    own.judged = kOfflineVerdict;
    own.facts.verdict = said("offline");
    own.vmi_seen = true;
  });
  CHECK(plan(s).snapshots[0].verdict == kOfflineVerdict);
}

TEST_CASE("a labelled backup without a session is spoken of once, while it is news") {
  Stray s = of_backup(freeze::kEpochNone, crash(reason::kNoAgent));
  s.own.facts.hold = label_hold(2);
  s.backup.reset();
  s.members.clear();
  CHECK(plan(s).action == Action::kForget);  // it was there before us
  s.fresh = true;
  CHECK(plan(s).action == Action::kTell);
  CHECK(plan(s).verdict == crash(reason::kNoAgent));
  s.told = at(0ms).at;
  CHECK(plan(s, kSameLabel - 1ms).action == Action::kForget);
  CHECK(plan(s, kSameLabel).action == Action::kTell);
  s.told.reset();
  s.own.facts.epoch = "epoch-9";  // its session has spoken
  CHECK(plan(s).action == Action::kForget);
  s.own.facts.verdict = crash(reason::kSessionLost);
  CHECK(plan(s).action == Action::kTell);
}

TEST_CASE("that a labelled disk is offline is not believed of its annotation") {
  Stray s = offline();
  s.own.facts.hold = label_hold(1);
  s.own.facts.verdict = said("offline");
  s.fresh = true;
  CHECK(plan(s).action != Action::kTell);
  s.own.judged = kOfflineVerdict;
  CHECK(plan(s).action == Action::kTell);
}

}  // namespace strays_test
