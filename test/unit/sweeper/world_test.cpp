// Captures, members and lists, in whatever order they come.
#include "test/support/catch.h"
#include "test/unit/sweeper/world_rig.h"

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;
using namespace snapfreeze::sweeper;
using What = Change::What;

TEST_CASE("a capture counts from when it was first seen, in whatever order the events come") {
  const std::vector<std::vector<int>> orders{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  for (const auto& order : orders) {
    WorldRig rig;
    for (const int step : order) {
      if (step == 0) rig.apply(Kind::kSession, session(), 200ms);
      if (step == 1) rig.apply(Kind::kSnapshot, snapshot("disk-0"), 300ms);
      if (step == 2) rig.capture("disk-0", 400ms);
    }
    REQUIRE(rig.now().members.size() == 1);
    CHECK(rig.now().members[0].captured->at == at(400ms).at);
    CHECK(rig.now().members[0].hold == 0U);
  }
}

TEST_CASE("the first of the three who say a capture counts") {
  WorldRig rig;
  rig.apply(Kind::kSession, session());
  rig.apply(Kind::kSnapshot, snapshot("disk-0"));
  rig.capture("disk-0", 400ms, Kind::kLonghornSnapshot);
  rig.capture("disk-0", 500ms);
  SnapshotFacts facts = snapshot("disk-0");
  facts.captured = true;
  rig.apply(Kind::kSnapshot, facts, 600ms);
  CHECK(rig.now().members[0].captured->at == at(400ms).at);
}

TEST_CASE("a snapshot that was made before the session is none of its members") {
  WorldRig rig;
  rig.apply(Kind::kSession, session());
  SnapshotFacts old = snapshot("disk-0");
  old.created = kServerStart - 1s;
  rig.apply(Kind::kSnapshot, old);
  rig.capture("disk-0", 400ms);
  CHECK(rig.now().members.empty());
}

TEST_CASE("a capture touches the one session that it is about") {
  WorldRig rig;
  rig.apply(Kind::kSession, session());
  rig.apply(Kind::kSnapshot, snapshot("disk-0"));
  rig.world.take_news();
  rig.capture("disk-0", 400ms);
  CHECK(rig.world.take_news().sessions == std::set<std::string>{"epoch-1"});
  rig.capture("disk-0", 500ms, Kind::kLonghornSnapshot);
  rig.capture("of-somebody-else", 500ms);
  CHECK(rig.world.take_news().sessions.empty());
}

TEST_CASE("whoever is not in a new list is gone: members, backups, guests") {
  WorldRig rig;
  rig.apply(Kind::kVmi, vmi());
  rig.apply(Kind::kBackup, backup({"disk-0", "disk-1"}));
  rig.apply(Kind::kSession, session());
  rig.apply(Kind::kSnapshot, snapshot("disk-0"));
  rig.apply(Kind::kSnapshot, snapshot("disk-1"));
  rig.capture("disk-0", 100ms);
  rig.relist(Kind::kSnapshot, {snapshot("disk-1")});
  CHECK(rig.now().members.size() == 1);
  CHECK(rig.now().holds[0].deleted);
  CHECK(rig.now().holds[0].deleted_names == std::set<std::string>{"disk-0"});
  CHECK_FALSE(rig.now().guest.gone);
  rig.relist(Kind::kVmi, {});
  CHECK(rig.now().guest.gone);
  rig.relist(Kind::kBackup, {});
  CHECK(rig.now().holds[0].names.empty());
}

TEST_CASE("a member that is being deleted, or has lost its epoch, is deleted") {
  for (const bool relabelled : {false, true}) {
    WorldRig rig;
    rig.apply(Kind::kSession, session());
    SnapshotFacts facts = snapshot("disk-0");
    rig.apply(Kind::kSnapshot, facts);
    facts.deleting = !relabelled;
    if (relabelled) facts.epoch = "epoch-2";
    rig.apply(Kind::kSnapshot, facts);
    CHECK(rig.now().holds[0].deleted);
    CHECK(rig.now().members.empty());
  }
}

TEST_CASE("a backup that is deleted, or being deleted, ends its hold") {
  for (const bool at_once : {false, true}) {
    WorldRig rig;
    rig.apply(Kind::kSession, session());
    BackupFacts facts = backup({"disk-0"});
    rig.apply(Kind::kBackup, facts);
    CHECK_FALSE(rig.now().holds[0].deleted);
    facts.deleting = true;
    at_once ? rig.remove(Kind::kBackup, facts) : rig.apply(Kind::kBackup, facts);
    CHECK(rig.now().holds[0].deleted);
  }
}

TEST_CASE("the gather window begins anew with each new member") {
  WorldRig rig;
  rig.apply(Kind::kSession, session(), 200ms);
  CHECK(rig.now().holds[0].quiet_since == at(200ms).at);
  rig.apply(Kind::kSnapshot, snapshot("disk-0"), 900ms);
  rig.apply(Kind::kSnapshot, snapshot("disk-0"), 1500ms);
  CHECK(rig.now().holds[0].quiet_since == at(900ms).at);
}

TEST_CASE("with thaw-on=ready neither the content nor Longhorn is watched") {
  CHECK(is_watched(Kind::kContent, ThawOn::kCaptured));
  CHECK_FALSE(is_watched(Kind::kContent, ThawOn::kReady));
  CHECK_FALSE(is_watched(Kind::kLonghornSnapshot, ThawOn::kReady));
  World world{ThawOn::kReady};
  for (const Kind kind : {Kind::kSession, Kind::kSnapshot, Kind::kBackup, Kind::kVmi, Kind::kVm}) {
    CHECK_FALSE(world.synced());
    (void)world.apply({kind, What::kNotServed, {}}, at(0ms));
  }
  CHECK(world.synced());
}
