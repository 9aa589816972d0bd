#include "test/support/catch.h"
#include "test/unit/sweeper/build.h"

namespace rescue_test {

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;
using namespace snapfreeze::sweeper;

namespace {

FrozenGuest frozen_guest() {
  FrozenGuest guest;
  guest.vmi = vmi();
  guest.since = kStart;
  guest.freeze_seen = true;
  guest.backups = {{backup({}), {kStart - 1s}, std::nullopt, std::nullopt}};
  guest.backups[0].froze = true;
  return guest;
}

BackupFacts backup_with_deadline(Millis deadline) {
  BackupFacts facts = backup({});
  facts.deadline = deadline;
  return facts;
}

RescuePlan rescue(const FrozenGuest& guest, Millis now) {
  return plan_rescue(guest, at(now), {});
}

}  // namespace

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
    backup.froze = false;
    CHECK_FALSE(rescue(guest, 61s).rescue);
  }
  SECTION("if a second call for a disk may have come late, after longer than any timer of others") {
    backup.acts = {kStart - 150s};
    guest.thawed = kStart - 1s;
    CHECK_FALSE(rescue(guest, 600s).rescue);
    CHECK(rescue(guest, 600s).wake == at(600s + 1ms).at);
    CHECK(rescue(guest, 601s).rescue);
    backup.acts = {kStart - 151s};
    CHECK_FALSE(rescue(guest, 601s).rescue);
  }
  SECTION("the backup that explains it soonest counts") {
    BackupRecord idle = backup, active = backup;
    idle.acts = {kStart - 100s};
    active.facts.name = "b2";
    guest.backups = {idle, active, idle};
    CHECK(rescue(guest, 61s).rescue);
    CHECK(rescue(guest, 61s).backup->name == "b2");
  }
  SECTION("not one that had been idle for long") {
    backup.acts = {kStart - 91s};
    CHECK_FALSE(rescue(guest, 61s).rescue);
    backup.failed = kStart - 91s;  // its freeze may have come late
    CHECK(rescue(guest, 61s).rescue);
    backup.failed = kStart - 151s;
    CHECK_FALSE(rescue(guest, 61s).rescue);
  }
  SECTION("or before a time in which nobody could ask the guest") {
    backup.acts = {kStart - 200s};
    guest.mute = 109s;
    CHECK_FALSE(rescue(guest, 61s).rescue);
    guest.mute = 110s;
    CHECK(rescue(guest, 61s).rescue);
    backup.facts.complete = true;
    backup.completed = kStart - 109s;
    guest.freeze_seen = false;
    backup.acts = {kStart - 1000s};
    CHECK(rescue(guest, 61s).rescue);
    guest.freeze_seen = true;
    backup.acts = {kStart - 1000s};
    CHECK_FALSE(rescue(guest, 61s).rescue);
  }
  SECTION("or has had a disk cut since, whose snapshot no webhook of ours has admitted") {
    backup.acts = {kStart - 91s};
    backup.cut_without_us = kStart + 40s;
    CHECK(rescue(guest, 61s).rescue);
    guest.thawed = kStart - 1s;
    CHECK(rescue(guest, 61s).rescue);
  }
  SECTION("or had one cut shortly before the guest was seen to be frozen, unless it was thawed since") {
    backup.acts = {kStart - 91s};
    backup.cut_without_us = kStart - 91s;
    CHECK_FALSE(rescue(guest, 61s).rescue);
    backup.cut_without_us = kStart - 2s;
    CHECK(rescue(guest, 61s).rescue);
    guest.thawed = kStart - 3s;
    CHECK(rescue(guest, 61s).rescue);
    guest.thawed = kStart - 1s;
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
    backup.note(backup_with_deadline(30s));
    CHECK_FALSE(rescued(Wall() + 59min));
    backup.note(backup_with_deadline(0ms));
    backup.note(backup_with_deadline(30s));
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

}  // namespace rescue_test
