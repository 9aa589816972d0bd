#include "freeze/names.h"
#include "test/support/catch.h"
#include "test/unit/sweeper/build.h"

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

FrozenGuest frozen_guest() {
  FrozenGuest guest;
  guest.vmi = vmi();
  guest.since = kStart;
  guest.freeze_seen = true;
  guest.backups = {{backup({}), {kStart - 1s}, std::nullopt, std::nullopt}};
  guest.backups[0].facts.harvester_froze = true;
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

TEST_CASE("a guest that Harvester left frozen is rescued after the longest T") {
  CHECK_FALSE(rescue(frozen_guest(), 60s).rescue);
  CHECK(rescue(frozen_guest(), 60s).wake > at(60s).at);
  CHECK(rescue(frozen_guest(), 61s).rescue);
  CHECK(rescue(frozen_guest(), 61s).backup->name == "b1");
}

TEST_CASE("only a freeze of Harvester's is rescued: one of its backups worked about when the guest froze") {
  FrozenGuest guest = frozen_guest();
  BackupRecord& backup = guest.backups[0];
  SECTION("whatever the backup's age") {
    backup.facts.created = kServerStart - 1000h;
    CHECK(rescue(guest, 61s).rescue);
  }
  SECTION("not one that Harvester did not freeze for") {
    backup.facts.harvester_froze = false;
    CHECK_FALSE(rescue(guest, 61s).rescue);
  }
  SECTION("not one that had been idle for long") {
    backup.acts = {kStart - 91s};
    CHECK_FALSE(rescue(guest, 61s).rescue);
    backup.failed = kStart - 91s;  // its freeze may have come late
    CHECK(rescue(guest, 61s).rescue);
    backup.failed = kStart - 151s;
    CHECK_FALSE(rescue(guest, 61s).rescue);
  }
  SECTION("not one whose freeze we have ended since") {
    guest.thawed = kStart - 1s;
    CHECK_FALSE(rescue(guest, 61s).rescue);
    guest.thawed = kStart - 2s;
    CHECK(rescue(guest, 61s).rescue);
    guest.thawed = kStart - 1s;
    backup.failed = kStart - 1s;
    CHECK(rescue(guest, 61s).rescue);
  }
  SECTION("not one that has not been seen at work") {
    backup.acts.clear();
    CHECK_FALSE(rescue(guest, 61s).rescue);
    backup.acts = {kStart + 16s};
    CHECK_FALSE(rescue(guest, 61s).rescue);
  }
  SECTION("if nobody saw when it froze, any that is unfinished") {
    guest.freeze_seen = false;
    backup.acts.clear();
    CHECK(rescue(guest, 61s).rescue);
    backup.facts.complete = true;
    CHECK_FALSE(rescue(guest, 61s).rescue);
    backup.completed = kStart;
    CHECK(rescue(guest, 61s).rescue);
  }
  SECTION("if nobody saw when it froze, also a recent one that had ended before, and whose freeze had no timer") {
    guest.freeze_seen = false;
    backup.acts.clear();
    backup.facts.complete = true;
    backup.facts.created = Wall();
    const auto rescued = [&](Wall bound) {
      Observed now = at(61s);
      now.bound = bound;
      return plan_rescue(guest, now, {}).rescue;
    };
    CHECK_FALSE(rescued(Wall() + 59min));
    backup.facts.deadline = 30s;
    CHECK_FALSE(rescued(Wall() + 59min));
    backup.facts.deadline = 0ms;
    CHECK(rescued(Wall() + 59min));
    CHECK_FALSE(rescued(Wall() + 60min));
    CHECK_FALSE(rescued(Wall::max()));
    guest.freeze_seen = true;
    CHECK_FALSE(rescued(Wall() + 59min));
  }
  SECTION("never during a snapshot of KubeVirt's own") {
    guest.kubevirt_snapshot = true;
    CHECK_FALSE(rescue(guest, 61s).rescue);
  }
  SECTION("there is none") {
    guest.backups.clear();
    CHECK_FALSE(rescue(guest, 61s).rescue);
  }
}

TEST_CASE("what Harvester did last always counts, however close to what it did before") {
  FrozenGuest guest = frozen_guest();
  BackupRecord& backup = guest.backups[0];
  backup.acts.clear();
  SECTION("a disk that comes right after our thaw") {
    for (const auto at : {0ms, 120ms, 420ms, 500ms}) backup.act(kStart + at);
    guest.thawed = kStart + 220ms;
    CHECK(backup.acts == std::vector{kStart, kStart + 500ms});
    CHECK(rescue(guest, 61s).rescue);
  }
  SECTION("none that is far from the others is lost") {
    for (const auto at : {0ms, 900ms, 100'000ms, 100'100ms, 101'900ms, 102'100ms}) backup.act(kStart + at);
    CHECK(backup.acts == std::vector{kStart, kStart + 900ms, kStart + 100s, kStart + 102'100ms});
  }
  SECTION("at most so many") {
    for (int i = 0; i < 1000; ++i) backup.act(kStart + i * 2s);
    CHECK(backup.acts.size() == BackupRecord::kMostActs);
    CHECK(backup.acts.back() == kStart + 1998s);
  }
}

TEST_CASE("a guest that stops is not rescued") {
  FrozenGuest guest = frozen_guest();
  guest.vmi.deleting = true;
  CHECK_FALSE(rescue(guest, 61s).rescue);
  guest = frozen_guest();
  guest.vmi.running = false;
  CHECK_FALSE(rescue(guest, 61s).rescue);
}
