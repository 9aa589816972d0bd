// What the world knows of snapshots without a session, and of their backups.
#include "freeze/names.h"
#include "test/support/catch.h"
#include "test/unit/sweeper/world_rig.h"

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;
using namespace snapfreeze::sweeper;
namespace reason = freeze::reason;

TEST_CASE("finished snapshots are strays that can be forgotten, and stay so") {
  WorldRig rig;
  SnapshotFacts finished = snapshot("disk-0", "epoch-9");
  finished.verdict = said("filesystem");
  rig.apply(Kind::kSnapshot, finished);
  CHECK(rig.world.take_news().strays == std::set<std::string>{"uid-disk-0"});
  rig.world.forget("uid-disk-0");
  CHECK(rig.world.snapshots_kept() == 0);
  CHECK_FALSE(rig.world.stray("uid-disk-0"));
}

TEST_CASE("the snapshots of a session that ends without their verdict become strays") {
  WorldRig rig;
  rig.apply(Kind::kSession, session());
  rig.apply(Kind::kSnapshot, snapshot("disk-0"));
  CHECK_FALSE(rig.world.stray("uid-disk-0"));
  rig.world.take_news();
  rig.remove(Kind::kSession, session(), 700ms);
  CHECK(rig.world.take_news().strays.contains("uid-disk-0"));
  CHECK(rig.world.stray("uid-disk-0")->since == at(700ms).at);
}

TEST_CASE("an event from before our verdict does not take it away") {
  WorldRig rig;
  rig.apply(Kind::kSession, session());
  rig.apply(Kind::kSnapshot, snapshot("disk-0"));
  rig.apply(Kind::kBackup, backup({"disk-0"}));
  rig.world.judged("uid-disk-0", {freeze::Consistency::kFilesystem});
  rig.world.judged_backup("uid-b1", {freeze::Consistency::kFilesystem});
  rig.apply(Kind::kSnapshot, snapshot("disk-0"));
  rig.apply(Kind::kBackup, backup({"disk-0"}));
  CHECK(rig.now().members[0].verdict == said("filesystem"));
  rig.world.ended("epoch-1", at(1s).at);
  CHECK(rig.world.stray("uid-disk-0")->backup->verdict == said("filesystem"));
}

TEST_CASE("an offline snapshot is watched if neither it nor its capture nor a VMI can have been missed") {
  WorldRig rig;
  SnapshotFacts facts = snapshot("disk-0", freeze::kEpochOffline);
  SECTION("all seen") {
    rig.apply(Kind::kSnapshot, facts, 100ms);
    rig.capture("disk-0", 200ms);
    CHECK(rig.world.stray("uid-disk-0")->own.watched);
    CHECK_FALSE(rig.world.stray("uid-disk-0")->own.vmi_seen);
  }
  SECTION("the snapshot was there when we came") {
    rig.relist(Kind::kSnapshot, {facts});
    rig.capture("disk-0", 200ms);
    CHECK_FALSE(rig.world.stray("uid-disk-0")->own.watched);
  }
  SECTION("it was labelled once it was captured, and its VM gone") {
    rig.apply(Kind::kVmi, vmi(), 50ms);
    rig.capture("disk-0", 200ms);
    rig.remove(Kind::kVmi, vmi(), 300ms);
    facts.untouched = false;
    rig.apply(Kind::kSnapshot, facts, 400ms);
    CHECK_FALSE(rig.world.stray("uid-disk-0")->own.watched);
  }
  SECTION("it was finished and forgotten, and something changes it") {
    rig.apply(Kind::kSnapshot, facts, 100ms);
    rig.world.forget("uid-disk-0");
    rig.apply(Kind::kSnapshot, facts, 200ms, Change::What::kApplied);
    rig.capture("disk-0", 300ms);
    CHECK_FALSE(rig.world.stray("uid-disk-0")->own.watched);
    CHECK_FALSE(rig.world.stray("uid-disk-0")->fresh);
  }
  SECTION("the VMIs were listed anew meanwhile") {
    rig.apply(Kind::kSnapshot, facts, 100ms);
    rig.relist(Kind::kVmi, {}, 150ms);
    rig.capture("disk-0", 200ms);
    CHECK_FALSE(rig.world.stray("uid-disk-0")->own.watched);
  }
  SECTION("a VMI came and went") {
    rig.apply(Kind::kSnapshot, facts, 100ms);
    rig.apply(Kind::kVmi, vmi());
    rig.remove(Kind::kVmi, vmi());
    rig.capture("disk-0", 200ms);
    CHECK(rig.world.stray("uid-disk-0")->own.vmi_seen);
  }
}

TEST_CASE("members in another epoch are known with their verdicts") {
  WorldRig rig;
  rig.apply(Kind::kSession, session());
  SnapshotFacts other = snapshot("disk-1", freeze::kEpochNone);
  other.verdict = freeze::crash(reason::kBusy);
  rig.apply(Kind::kSnapshot, other);
  REQUIRE(rig.now().holds[0].elsewhere.contains("disk-1"));
  CHECK(rig.now().holds[0].elsewhere.at("disk-1").reason == reason::kBusy);
}

TEST_CASE("a reason that is none of ours is not passed on") {
  WorldRig rig;
  SnapshotFacts other = snapshot("disk-1", freeze::kEpochNone);
  other.verdict = said("crash", "<anything>");
  rig.apply(Kind::kBackup, backup({"disk-1"}));
  rig.apply(Kind::kSnapshot, other);
  CHECK(plan_stray(*rig.world.stray("uid-disk-1"), at(1s).at).verdict.reason == reason::kUnverified);
}

TEST_CASE("a snapshot that its backup does not list says nothing about the others") {
  WorldRig rig;
  SnapshotFacts copied = snapshot("copied", freeze::kEpochNone);
  copied.verdict = said("crash");
  rig.apply(Kind::kBackup, backup({"disk-1"}));
  rig.apply(Kind::kSnapshot, copied);
  rig.apply(Kind::kSnapshot, snapshot("disk-1", freeze::kEpochOffline));
  CHECK(rig.world.stray("uid-disk-1")->members.size() == 1);
  CHECK_FALSE(rig.world.stray("uid-copied")->backup);
}

TEST_CASE("old complete backups are forgotten, those without a verdict after a day") {
  WorldRig rig;
  BackupFacts judged = backup({}, "judged");
  judged.complete = true;
  judged.verdict = said("filesystem");
  BackupFacts missed = backup({}, "missed");
  missed.complete = true;
  rig.apply(Kind::kBackup, judged);
  rig.apply(Kind::kBackup, missed);
  rig.apply(Kind::kBackup, backup({}, "unfinished"));
  rig.world.forget_old_backups(kServerStart + 59min);
  CHECK(rig.world.backups_kept() == 3);
  rig.world.forget_old_backups(kServerStart + 61min);
  CHECK(rig.world.backups_kept() == 2);
  rig.world.forget_old_backups(kServerStart + 25h);
  CHECK(rig.world.backups_kept() == 1);
}
