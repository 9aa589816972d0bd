// What the world knows of sessions: versions, lists, deletions.
#include "test/support/catch.h"
#include "test/unit/sweeper/world_rig.h"

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;
using namespace snapfreeze::sweeper;
using freeze::Phase;
using What = Change::What;

TEST_CASE("an older view of a session than our own write returned is dropped") {
  WorldRig rig;
  rig.apply(Kind::kSession, at_version("100"));
  rig.world.wrote(at_version("102", Phase::kThawing), at(200ms).at);
  rig.apply(Kind::kSession, at_version("101"));
  CHECK(rig.now().session.phase == Phase::kThawing);
  rig.apply(Kind::kSession, at_version("103", Phase::kResting));
  CHECK(rig.now().session.phase == Phase::kResting);
  rig.world.wrote(at_version("102", Phase::kThawing), at(300ms).at);
  CHECK(rig.now().session.phase == Phase::kResting);
}

TEST_CASE("versions are compared as numbers") {
  WorldRig rig;
  rig.apply(Kind::kSession, at_version("999"));
  rig.apply(Kind::kSession, at_version("1000", Phase::kThawing));
  CHECK(rig.now().session.phase == Phase::kThawing);
}

TEST_CASE("a session that we ended is not brought back by a late event") {
  WorldRig rig;
  rig.apply(Kind::kSession, at_version("100"));
  rig.world.ended("epoch-1", at(200ms).at);
  rig.apply(Kind::kSession, at_version("101"));
  CHECK_FALSE(rig.known());
  rig.remove(Kind::kSession, at_version("102"));
  CHECK(rig.world.take_news().deleted.empty());
}

TEST_CASE("after etcd was restored, what a list or a fresh read says wins over a newer version") {
  WorldRig rig;
  rig.apply(Kind::kSession, at_version("100", Phase::kThawing));
  SECTION("a session goes back") {
    rig.relist(Kind::kSession, {at_version("90")});
    CHECK(rig.now().session.phase == Phase::kFrozen);
    CHECK(rig.seen().released);
    rig.apply(Kind::kSession, at_version("91", Phase::kResting));
    CHECK(rig.now().session.phase == Phase::kResting);
  }
  SECTION("a session that we ended is there again") {
    rig.world.ended("epoch-1", at(200ms).at);
    rig.relist(Kind::kSession, {at_version("90")});
    REQUIRE(rig.known());
    CHECK_FALSE(rig.seen().from_birth);
    CHECK(rig.seen().released);
  }
  SECTION("read after a conflict") {
    rig.world.read_afresh(at_version("90"), at(200ms).at);
    CHECK(rig.now().session.phase == Phase::kFrozen);
  }
}

TEST_CASE("a write that returns after the session is gone does not bring it back") {
  WorldRig rig;
  rig.apply(Kind::kSession, at_version("100"));
  rig.remove(Kind::kSession, at_version("102"));
  rig.world.wrote(at_version("101", Phase::kThawing), at(300ms).at);
  CHECK_FALSE(rig.known());
}

TEST_CASE("sessions that somebody else deleted are told, by event or by a list that lacks them") {
  WorldRig rig;
  rig.apply(Kind::kSession, session());
  rig.remove(Kind::kSession, session());
  CHECK(rig.world.take_news().deleted.size() == 1);
  rig.apply(Kind::kSession, session());
  rig.relist(Kind::kSession, {});
  CHECK(rig.world.take_news().deleted.size() == 1);
  CHECK_FALSE(rig.known());
}

TEST_CASE("a session that was written during a list is not taken for gone when the list lacks it") {
  WorldRig rig;
  rig.apply(Kind::kSession, at_version("100"));
  rig.world.apply({Kind::kSession, What::kRelistStarted, {}}, at(200ms));
  rig.world.wrote(at_version("101"), at(200ms).at);
  rig.world.apply({Kind::kSession, What::kRelistDone, {}}, at(200ms));
  CHECK(rig.known());
}

TEST_CASE("whether the begin of a session was seen tells how exact its duration is") {
  WorldRig rig;
  rig.apply(Kind::kSession, at_version("100", Phase::kFreezing), 100ms);
  rig.apply(Kind::kSession, at_version("101"), 250ms);
  CHECK(rig.seen().from_birth);
  CHECK(rig.seen().frozen_since == at(250ms).at);
  CHECK(rig.seen().phase_since == at(250ms).at);
  WorldRig late;
  late.relist(Kind::kSession, {at_version("100", Phase::kFreezing)});
  CHECK_FALSE(late.seen().from_birth);
}

TEST_CASE("a backup was created after the freeze if its first version is later than the session's first frozen one") {
  WorldRig rig;
  rig.apply(Kind::kSession, at_version("10", Phase::kFreezing));
  const auto backup = [&](const std::string& uid, const std::string& version, What what = What::kAdded) {
    sweeper::BackupFacts facts;
    facts.uid = uid;
    facts.version = version;
    facts.namespace_ = "vms";
    facts.vm = "vm1";
    rig.apply(Kind::kBackup, facts, 100ms, what);
  };
  backup("before", "19");
  rig.apply(Kind::kSession, at_version("20"));
  backup("after", "21");
  backup("there-already", "22", What::kApplied);
  backup("of-no-number", "x");
  backup("before", "23", What::kApplied);       // it was changed
  rig.apply(Kind::kSession, at_version("24"));  // one joined
  CHECK(rig.now().backups.size() == 4);
  CHECK(rig.now().created_later == std::set<std::string>{"after"});
  rig.apply(Kind::kBackup, [] {
    sweeper::BackupFacts facts;
    facts.uid = "after";
    facts.version = "25";
    facts.namespace_ = "vms";
    facts.vm = "vm2";
    return facts;
  }());
  CHECK(rig.now().created_later == std::set<std::string>{"after"});  // it was of this guest
}

TEST_CASE("sessions are counted by phase") {
  WorldRig rig;
  rig.apply(Kind::kSession, at_version("100", Phase::kFreezing));
  rig.apply(Kind::kSession, at_version("101"));
  CHECK(rig.world.phases().at(Phase::kFreezing) == 0);
  CHECK(rig.world.phases().at(Phase::kFrozen) == 1);
  rig.remove(Kind::kSession, at_version("102"));
  CHECK(rig.world.phases().at(Phase::kFrozen) == 0);
}
