#include "freeze/names.h"
#include "test/support/catch.h"
#include "test/sweeper/build.h"

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;
using namespace snapfreeze::sweeper;
using freeze::Consistency;
using freeze::Verdict;
using Action = StrayPlan::Action;
namespace reason = freeze::reason;

namespace {

Verdict crash(std::string_view why) {
  return {Consistency::kCrash, std::string(why)};
}
const Verdict kOfflineVerdict{Consistency::kOffline, ""};

Stray stray(const std::string& epoch) {
  Stray s;
  s.facts = snapshot("disk-0", epoch);
  s.since = kStart;
  return s;
}

// With its verdict, of a backup that has two disks.
Stray judged(const std::string& epoch, const Verdict& verdict) {
  Stray s = stray(epoch);
  s.facts.consistency = to_string(verdict.consistency);
  s.facts.reason = verdict.reason;
  s.verdicts["disk-0"] = verdict;
  s.backup = backup({"disk-0", "disk-1"});
  return s;
}

Stray offline() {
  Stray s = stray(freeze::kEpochOffline);
  s.captured = true;
  s.captured_at = kStart;
  s.watched = true;
  return s;
}

StrayPlan plan(const Stray& s, Millis now = 0ms) {
  return plan_stray(s, at(now).at);
}

FrozenGuest frozen_guest() {
  FrozenGuest guest;
  guest.vmi = vmi();
  guest.since = kStart;
  guest.backups = {backup({})};
  guest.backups[0].harvester_froze = true;
  return guest;
}

RescuePlan rescue(const FrozenGuest& guest, Millis now) {
  return plan_rescue(guest, at(now), {});
}

}  // namespace

TEST_CASE("a snapshot whose session is not known gets a grace, as the watch of the sessions may lag") {
  CHECK(plan(stray("epoch-9"), 9999ms).action == Action::kWait);
  CHECK(plan(stray("epoch-9"), 9999ms).wake == at(10s).at);
  CHECK(plan(stray("epoch-9"), 10s).action == Action::kJudgeLost);
}

TEST_CASE("a verdict of the webhook, or of a lost session, is passed on to the backup") {
  for (const std::string epoch : {freeze::kEpochNone, "epoch-9", freeze::kEpochOffline}) {
    const StrayPlan its_plan = plan(judged(epoch, crash(reason::kNoAgent)));
    CHECK(its_plan.action == Action::kJudgeBackup);
    CHECK(its_plan.verdict == crash(reason::kNoAgent));
  }
}

TEST_CASE("a backup that is crash already needs nothing more") {
  Stray s = judged(freeze::kEpochNone, crash(reason::kNoAgent));
  s.backup->consistency = "crash";
  CHECK(plan(s).action == Action::kForget);
}

TEST_CASE("a backup is not judged by a snapshot that it does not list") {
  Stray s = judged(freeze::kEpochNone, crash(reason::kNotAMember));
  s.backup->snapshot_names = {"disk-1"};
  CHECK(plan(s).action == Action::kForget);
  s = judged(freeze::kEpochNone, crash(reason::kNotAMember));
  s.backup->namespace_ = "others";
  CHECK(plan(s).action == Action::kForget);
}

TEST_CASE("a snapshot that is news waits a little for its backup, an old one does not") {
  Stray s = judged(freeze::kEpochNone, crash(reason::kNoAgent));
  s.backup.reset();
  CHECK(plan(s).action == Action::kForget);
  s.fresh = true;
  CHECK(plan(s).action == Action::kWait);
  CHECK(plan(s, 10s).action == Action::kForget);
}

TEST_CASE("finished snapshots of a session that has ended need nothing more") {
  CHECK(plan(judged("epoch-9", {Consistency::kFilesystem, ""})).action == Action::kForget);
}

TEST_CASE("an offline snapshot is judged when it is captured") {
  Stray s = offline();
  s.captured = false;
  CHECK(plan(s, 1h).action == Action::kWait);
  s.captured = true;
  CHECK(plan(s).action == Action::kJudge);
  CHECK(plan(s).verdict == kOfflineVerdict);
}

TEST_CASE("a snapshot is not offline when its VM was started, or nobody looked all the time") {
  Stray s = offline();
  s.vmi_seen = true;
  CHECK(plan(s).verdict == crash(reason::kStarted));
  s = offline();
  s.watched = false;
  CHECK(plan(s).verdict == crash(reason::kUnverified));
  s = offline();
  s.facts.vm.clear();
  CHECK(plan(s).verdict == crash(reason::kUnverified));
}

TEST_CASE("the disks of a backup at rest are judged in one go, by the first of them, when all are captured") {
  Stray s = offline();
  s.backup = backup({"disk-0", "disk-1"});
  CHECK(plan(s).action == Action::kWait);  // the other one is not known yet
  CHECK(plan(s).wake == at(kTogether).at);
  Stray::Sibling other;
  other.facts = snapshot("disk-1", freeze::kEpochOffline);
  other.watched = true;
  s.siblings = {other};
  CHECK(plan(s).action == Action::kWait);
  s.siblings[0].captured = true;
  REQUIRE(plan(s).action == Action::kJudge);
  REQUIRE(plan(s).others.size() == 1);
  CHECK(plan(s).others[0].facts.name == "disk-1");
  CHECK(plan(s).others[0].verdict == kOfflineVerdict);
  s.siblings[0].vmi_seen = true;
  CHECK(plan(s).others[0].verdict == crash(reason::kStarted));
  s.siblings[0].facts.uid = "a";  // before ours
  CHECK(plan(s).action == Action::kWait);
  s.verdicts["disk-1"] = crash(reason::kLate);
  CHECK(plan(s).others[0].verdict == crash(reason::kLate));
}

TEST_CASE("a disk at rest does not wait for ever for one that does not come") {
  Stray s = offline();
  s.backup = backup({"disk-0", "disk-1"});
  CHECK(plan(s, kTogether - 1ms).action == Action::kWait);
  CHECK(plan(s, kTogether).action == Action::kJudge);
  CHECK(plan(s, kTogether).others.empty());
}

TEST_CASE("a labelled backup without a session is spoken of once, while it is news") {
  Stray s = judged(freeze::kEpochNone, crash(reason::kNoAgent));
  s.facts.hold = label_hold(2);
  s.backup.reset();
  s.own_verdict = crash(reason::kNoAgent);
  CHECK(plan(s).action == Action::kForget);  // it was there before us
  s.fresh = true;
  CHECK(plan(s).action == Action::kTell);
  CHECK(plan(s).verdict == crash(reason::kNoAgent));
  s.told = at(0ms).at;
  CHECK(plan(s, kSameLabel - 1ms).action == Action::kForget);
  CHECK(plan(s, kSameLabel).action == Action::kTell);
  s.told.reset();
  s.facts.epoch = "epoch-9";  // its session has spoken
  CHECK(plan(s).action == Action::kForget);
  s.facts.reason = reason::kSessionLost;
  CHECK(plan(s).action == Action::kTell);
}

TEST_CASE("a backup is offline when all its disks are") {
  Stray s = judged(freeze::kEpochOffline, kOfflineVerdict);
  CHECK(plan(s).action == Action::kWait);
  s.verdicts["disk-1"] = kOfflineVerdict;
  CHECK(plan(s).action == Action::kJudgeBackup);
  CHECK(plan(s).verdict == kOfflineVerdict);
  s.verdicts["disk-1"] = {Consistency::kFilesystem, ""};
  CHECK(plan(s).verdict == crash(reason::kStarted));
  s.backup->consistency = "offline";
  CHECK(plan(s).action == Action::kForget);
}

TEST_CASE("a guest that Harvester left frozen is rescued after the longest T") {
  CHECK_FALSE(rescue(frozen_guest(), 60s).rescue);
  CHECK(rescue(frozen_guest(), 60s).wake > at(60s).at);
  CHECK(rescue(frozen_guest(), 61s).rescue);
  CHECK(rescue(frozen_guest(), 61s).backup->name == "b1");
}

TEST_CASE("only a young backup for which Harvester froze is a reason to rescue") {
  FrozenGuest guest = frozen_guest();
  CHECK(rescue(guest, 3599s).rescue);
  CHECK_FALSE(rescue(guest, 3600s).rescue);
  guest.backups[0].harvester_froze = false;
  CHECK_FALSE(rescue(guest, 61s).rescue);
  guest.backups.clear();
  CHECK_FALSE(rescue(guest, 61s).rescue);
}

TEST_CASE("a guest that stops is not rescued") {
  FrozenGuest guest = frozen_guest();
  guest.vmi.deleting = true;
  CHECK_FALSE(rescue(guest, 61s).rescue);
  guest = frozen_guest();
  guest.vmi.running = false;
  CHECK_FALSE(rescue(guest, 61s).rescue);
}
