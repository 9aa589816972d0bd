// What the world sees of a guest while it is held, and of one that nobody holds.
#include "test/support/catch.h"
#include "test/unit/sweeper/world_rig.h"

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;
using namespace snapfreeze::sweeper;
using freeze::Phase;

namespace {

// One that reports that it is frozen.
void see_frozen(WorldRig& rig) {
  VmiFacts guest = vmi();
  guest.reported_frozen = true;
  rig.apply(Kind::kVmi, guest);
}

}  // namespace

TEST_CASE("a lapse is a guest that was reported frozen while held, and is no more") {
  WorldRig rig;
  VmiFacts guest = vmi();
  rig.apply(Kind::kVmi, guest);
  rig.apply(Kind::kSession, session());
  CHECK_FALSE(rig.seen().lapsed);
  guest.reported_frozen = true;
  rig.apply(Kind::kVmi, guest);
  CHECK_FALSE(rig.seen().lapsed);
  guest.reported_frozen = false;
  rig.apply(Kind::kVmi, guest);
  CHECK(rig.seen().lapsed);
  guest.reported_frozen = true;
  rig.apply(Kind::kVmi, guest);
  CHECK(rig.seen().lapsed);
}

TEST_CASE("all is told of a guest if its watch shows each state since before the session") {
  WorldRig rig;
  VmiFacts guest = vmi();
  freeze::Session frozen = session();
  frozen.version_before = "100";
  const auto told = [&](const std::string& version) {
    guest.version = version;
    rig.apply(Kind::kVmi, guest);
    return rig.seen().told_until;
  };
  guest.version = "90";
  SECTION("without a gap") {
    rig.apply(Kind::kVmi, guest);
    rig.apply(Kind::kSession, frozen);
    CHECK(rig.seen().told_until == "90");
    CHECK(told("101") == "101");
  }
  SECTION("the session appears late") {
    guest.version = "101";
    rig.apply(Kind::kVmi, guest);
    rig.apply(Kind::kSession, frozen);
    CHECK(rig.seen().told_until.empty());
    CHECK(told("102").empty());
  }
  SECTION("the VMIs are listed again") {
    rig.apply(Kind::kVmi, guest);
    rig.apply(Kind::kSession, frozen);
    rig.relist(Kind::kVmi, {guest});
    CHECK(rig.seen().told_until == "90");
    guest.version = "105";
    rig.relist(Kind::kVmi, {guest});
    CHECK(rig.seen().told_until.empty());
    CHECK(told("106").empty());
  }
  SECTION("its agent went before we knew that it was frozen") {
    rig.apply(Kind::kVmi, guest);
    frozen.phase = Phase::kFreezing;
    rig.apply(Kind::kSession, frozen);
    guest.agent_gone = true;
    CHECK(told("101").empty());
    guest.agent_gone = false;
    CHECK(told("102").empty());
  }
  SECTION("the guest is only being frozen") {
    rig.apply(Kind::kVmi, guest);
    rig.apply(Kind::kSession, session(Phase::kFreezing));
    CHECK(rig.seen().told_until == "90");
    frozen.resource_version = "103";
    rig.apply(Kind::kSession, frozen);
    CHECK(told("104") == "104");
  }
}

TEST_CASE("an agent that is gone while the guest is held is lost, also when it comes back") {
  WorldRig rig;
  VmiFacts guest = vmi();
  rig.apply(Kind::kVmi, guest);
  rig.apply(Kind::kSession, session());
  CHECK_FALSE(rig.seen().agent_lost);
  guest.agent_gone = true;
  rig.apply(Kind::kVmi, guest);
  CHECK(rig.seen().agent_lost);
  guest.agent_gone = false;
  rig.apply(Kind::kVmi, guest);
  CHECK(rig.seen().agent_lost);
}

TEST_CASE("a status that changes while the guest is still being frozen, or thawed, is no lapse") {
  for (const Phase phase : {Phase::kFreezing, Phase::kThawing}) {
    WorldRig rig;
    rig.apply(Kind::kSession, session(phase));
    VmiFacts guest = vmi();
    guest.reported_frozen = true;
    rig.apply(Kind::kVmi, guest);
    guest.reported_frozen = false;
    guest.agent_gone = true;
    rig.apply(Kind::kVmi, guest);
    CHECK_FALSE(rig.seen().lapsed);
    CHECK_FALSE(rig.seen().agent_lost);
  }
}

TEST_CASE("a migration is seen while it runs, and afterwards by its uid") {
  WorldRig rig;
  VmiFacts guest = vmi();
  guest.migration_uid = "old";
  rig.apply(Kind::kVmi, guest);
  rig.apply(Kind::kSession, session());
  CHECK_FALSE(rig.seen().migrated);
  SECTION("while it runs") {
    guest.migrating = true;
  }
  SECTION("afterwards") {
    guest.migration_uid = "new";
  }
  rig.apply(Kind::kVmi, guest);
  CHECK(rig.seen().migrated);
  guest.migrating = false;
  guest.migration_uid = "old";
  rig.apply(Kind::kVmi, guest);
  CHECK(rig.seen().migrated);
}

TEST_CASE("a snapshot of KubeVirt's own is remembered when it has ended") {
  WorldRig rig;
  rig.apply(Kind::kSession, session());
  rig.apply(Kind::kVm, VmFacts{"vms", "vm1", true});
  rig.apply(Kind::kVm, VmFacts{"vms", "vm1", false});
  CHECK(rig.seen().kubevirt_snapshot);
}

TEST_CASE("one that had ended before the session is no doubt") {
  WorldRig rig;
  rig.apply(Kind::kVm, VmFacts{"vms", "vm1", true});
  rig.apply(Kind::kVm, VmFacts{"vms", "vm1", false});
  rig.apply(Kind::kSession, session());
  CHECK_FALSE(rig.seen().kubevirt_snapshot);
}

TEST_CASE("a guest is gone when its VMI is deleted, replaced, or does not run") {
  WorldRig rig;
  rig.apply(Kind::kVmi, vmi());
  rig.apply(Kind::kSession, session());
  CHECK(rig.seen().vmi_seen);
  SECTION("deleted") {
    rig.remove(Kind::kVmi, vmi());
  }
  SECTION("replaced") {
    rig.apply(Kind::kVmi, vmi("vmi-2"));
  }
  SECTION("stopped") {
    VmiFacts stopped = vmi();
    stopped.running = false;
    rig.apply(Kind::kVmi, stopped);
  }
  CHECK(rig.now().guest.gone);
}

TEST_CASE("the deletion of a former VMI does not take the present one away") {
  WorldRig rig;
  rig.apply(Kind::kSession, session());
  rig.apply(Kind::kVmi, vmi());
  rig.remove(Kind::kVmi, vmi("vmi-0"));
  CHECK_FALSE(rig.now().guest.gone);
}

TEST_CASE("a guest is frozen without a session since it reports so, or since its session ended") {
  WorldRig rig;
  VmiFacts guest = vmi();
  guest.reported_frozen = true;
  rig.apply(Kind::kVmi, guest, 100ms);
  rig.apply(Kind::kVmi, guest, 900ms);
  CHECK(rig.world.frozen_guest("vms/vm1")->since == at(100ms).at);
  rig.apply(Kind::kSession, session());
  CHECK_FALSE(rig.world.frozen_guest("vms/vm1"));
  rig.world.ended("epoch-1", at(2s).at);
  CHECK(rig.world.frozen_guest("vms/vm1")->since == at(2s).at);
  guest.reported_frozen = false;
  rig.apply(Kind::kVmi, guest);
  CHECK_FALSE(rig.world.frozen_guest("vms/vm1"));
}

TEST_CASE("a guest that nobody could ask may have been frozen for as long") {
  WorldRig rig;
  VmiFacts guest = vmi();
  rig.apply(Kind::kVmi, guest, 100ms);
  bool VmiFacts::*const why = GENERATE(&VmiFacts::paused, &VmiFacts::agent_gone);
  const auto mute_at = [&](Millis when) {
    guest.reported_frozen = true;
    rig.apply(Kind::kVmi, guest, when);
    return rig.world.frozen_guest("vms/vm1")->mute;
  };
  SECTION("never") {
    CHECK(mute_at(200s) == 0ms);
  }
  SECTION("it still is so") {
    guest.*why = true;
    rig.apply(Kind::kVmi, guest, 1s);
    rig.apply(Kind::kVmi, guest, 2s);
    CHECK(mute_at(101s) == 100s);
    CHECK(mute_at(200s) == 100s);
  }
  SECTION("until a session of it ended") {
    guest.*why = true;
    rig.apply(Kind::kVmi, guest, 1s);
    mute_at(101s);
    freeze::Session thawed = session();
    thawed.phase = freeze::Phase::kThawing;
    rig.apply(Kind::kSession, thawed, 102s);
    rig.world.ended("epoch-1", at(103s).at);
    CHECK(rig.world.frozen_guest("vms/vm1")->mute == 0ms);
  }
  SECTION("and while a session of it lasted that has not thawed it") {
    mute_at(101s);
    rig.apply(Kind::kSession, session(), 102s);
    rig.world.ended("epoch-1", at(103s).at);
    CHECK(rig.world.frozen_guest("vms/vm1")->since == at(103s).at);
    CHECK(rig.world.frozen_guest("vms/vm1")->mute == 2s);
  }
  SECTION("it can be asked again") {
    guest.*why = true;
    rig.apply(Kind::kVmi, guest, 1s);
    guest.*why = false;
    rig.apply(Kind::kVmi, guest, 100s);
    SECTION("since a moment ago") {
      CHECK(mute_at(101s) == 100s);
    }
    SECTION("since a moment ago, and cannot, and can") {
      guest.*why = true;
      rig.apply(Kind::kVmi, guest, 102s);
      guest.*why = false;
      rig.apply(Kind::kVmi, guest, 200s);
      CHECK(mute_at(201s) == 200s);
    }
    SECTION("for so long that it has been") {
      CHECK(mute_at(116s) == 0ms);
    }
    SECTION("for so long that it has been, until now") {
      rig.apply(Kind::kVmi, guest, 120s);
      guest.*why = true;
      rig.apply(Kind::kVmi, guest, 130s);
      CHECK(mute_at(131s) == 1s);
    }
  }
}

TEST_CASE("only a session that thaws proves by its end that the guest was thawed") {
  WorldRig rig;
  see_frozen(rig);
  const auto thawed_after = [&](Phase phase) {
    rig.apply(Kind::kSession, session(phase), 1s);
    rig.remove(Kind::kSession, session(phase), 2s);
    return rig.world.frozen_guest("vms/vm1")->thawed;
  };
  CHECK_FALSE(thawed_after(Phase::kFrozen));
  CHECK_FALSE(thawed_after(Phase::kNewer));
  CHECK(thawed_after(Phase::kResting) == at(1s).at);
}

TEST_CASE("a guest that KubeVirt held is frozen without a session only since KubeVirt let it go") {
  WorldRig rig;
  VmiFacts guest = vmi();
  guest.reported_frozen = true;
  rig.apply(Kind::kVmi, guest, 100ms);
  rig.apply(Kind::kVm, VmFacts{"vms", "vm1", true}, 200ms);
  rig.apply(Kind::kVm, VmFacts{"vms", "vm1", false}, 98s);
  CHECK(rig.world.frozen_guest("vms/vm1")->since == at(98s).at);
  rig.apply(Kind::kVm, VmFacts{"vms", "vm1", false}, 99s);
  CHECK(rig.world.frozen_guest("vms/vm1")->since == at(98s).at);
}

TEST_CASE("a backup for which Harvester froze is known to a rescue also when it was deleted") {
  WorldRig rig;
  see_frozen(rig);
  BackupFacts facts = backup({});
  facts.harvester_froze = true;
  rig.apply(Kind::kBackup, facts);
  rig.remove(Kind::kBackup, facts);
  CHECK(rig.world.frozen_guest("vms/vm1")->backups.size() == 1);
  rig.world.forget_old_backups(kServerStart + 2h, kStart + 2h);
  CHECK(rig.world.frozen_guest("vms/vm1")->backups.empty());
}

TEST_CASE("the backups that were deleted, or moved to other guests, are not kept without bound") {
  WorldRig rig;
  see_frozen(rig);
  BackupFacts facts = backup({});
  rig.apply(Kind::kBackup, facts);
  for (int i = 0; i < 1001; ++i) {
    facts.vm = "x" + std::to_string(i);
    rig.apply(Kind::kBackup, facts, 1s + Millis(i));
  }
  CHECK(rig.world.frozen_guest("vms/vm1")->backups.empty());  // the oldest
}

TEST_CASE("what a backup has said is kept: that Harvester froze for it, and its longest deadline") {
  WorldRig rig;
  see_frozen(rig);
  BackupFacts facts = backup({"disk-0", "disk-1"});
  const auto record = [&](bool froze, Millis deadline) {
    facts.harvester_froze = froze;
    facts.deadline = deadline;
    rig.apply(Kind::kBackup, facts);
    return rig.world.frozen_guest("vms/vm1")->backups.at(0);
  };
  CHECK_FALSE(record(false, 30s).froze);
  CHECK_FALSE(record(true, 10s).endless);
  CHECK(record(false, 0s).froze);
  CHECK(record(false, 90s).endless);
  CHECK(record(false, 10s).longest_deadline == Millis(90s));
}

TEST_CASE("what a backup did before it was listed, or while its watch was broken, may have been a freeze") {
  WorldRig rig;
  see_frozen(rig);
  BackupFacts facts = backup({"disk-0", "disk-1"});
  facts.freeze_decided = true;
  facts.version = "1";
  const auto record = [&] { return rig.world.frozen_guest("vms/vm1")->backups.at(0); };
  SECTION("if it was listed") {
    rig.relist(Kind::kBackup, {facts}, 2s);
    CHECK(record().froze);
    CHECK(record().acts == std::vector{at(2s).at});
  }
  SECTION("if it has changed meanwhile") {
    rig.apply(Kind::kBackup, facts, 1s);
    CHECK_FALSE(record().froze);
    rig.relist(Kind::kBackup, {facts}, 2s);
    CHECK_FALSE(record().froze);
    facts.version = "2";
    rig.relist(Kind::kBackup, {facts}, 3s);
    CHECK(record().froze);
    CHECK(record().acts == std::vector{at(1s).at, at(3s).at});
  }
  SECTION("but not before Harvester has said for any disk whether it freezes") {
    facts.freeze_decided = false;
    rig.relist(Kind::kBackup, {facts}, 2s);
    CHECK_FALSE(record().froze);
  }
  SECTION("and not lately, if it is old and its disks are cut") {
    facts.made = facts.snapshot_names;
    facts.created = kServerStart - 5min;
    rig.relist(Kind::kBackup, {facts}, 2s);
    CHECK(record().acts.empty());
  }
  SECTION("whatever its age, if not all of its disks are cut") {
    facts.created = kServerStart - 1000h;
    rig.relist(Kind::kBackup, {facts}, 2s);
    CHECK(record().acts.size() == 1);
  }
}

TEST_CASE("a disk of a backup is cut without us if no webhook of ours has admitted its snapshot") {
  WorldRig rig;
  see_frozen(rig);
  BackupFacts facts = backup({"disk-0", "disk-1"});
  const auto cut_without_us = [&] { return rig.world.frozen_guest("vms/vm1")->backups.at(0).cut_without_us; };
  const auto is_cut = [&](const std::string& name, Millis when) {
    facts.made.push_back(name);
    rig.apply(Kind::kBackup, facts, when);
    return cut_without_us();
  };
  SECTION("the snapshot is seen after the backup") {
    rig.apply(Kind::kBackup, facts, 0ms);
    rig.apply(Kind::kSnapshot, snapshot("disk-0", freeze::kEpochNone), 200ms);
  }
  SECTION("the snapshot is seen before the backup") {
    rig.apply(Kind::kSnapshot, snapshot("disk-0", freeze::kEpochNone), 0ms);
    rig.apply(Kind::kBackup, facts, 200ms);
  }
  SECTION("the snapshot is forgotten meanwhile") {
    rig.apply(Kind::kBackup, facts, 0ms);
    rig.apply(Kind::kSnapshot, snapshot("disk-0", freeze::kEpochNone), 200ms);
    rig.world.forget("uid-disk-0");
  }
  CHECK_FALSE(is_cut("disk-0", 1s));
  CHECK(is_cut("disk-1", 2s) == at(2s).at);
  rig.apply(Kind::kBackup, facts, 3s);
  CHECK(cut_without_us() == at(2s).at);
}

TEST_CASE("Harvester acts when a snapshot or a backup is created, not when something changes one that was forgotten") {
  WorldRig rig;
  see_frozen(rig);
  BackupFacts facts = backup({"disk-0"});
  const auto acts = [&] { return rig.world.frozen_guest("vms/vm1")->backups.at(0).acts; };
  SECTION("a snapshot") {
    rig.apply(Kind::kBackup, facts, 0ms);
    rig.apply(Kind::kSnapshot, snapshot("disk-0", freeze::kEpochNone), 200ms);
    CHECK(acts() == std::vector{at(0ms).at, at(200ms).at});
    rig.world.forget("uid-disk-0");
    SECTION("it becomes ready") {
      rig.apply(Kind::kSnapshot, snapshot("disk-0", freeze::kEpochNone), 60s, Change::What::kApplied);
    }
    SECTION("its label is taken away and put back") {
      SnapshotFacts labelled = snapshot("disk-0", freeze::kEpochNone);
      labelled.untouched = false;
      rig.apply(Kind::kSnapshot, labelled, 60s);
    }
    CHECK(acts() == std::vector{at(0ms).at, at(200ms).at});
  }
  SECTION("a backup") {
    facts.complete = true;
    facts.verdict = said("filesystem");
    rig.apply(Kind::kBackup, facts, 0ms);
    rig.world.forget_old_backups(kServerStart + 2h, kStart + 2h);
    CHECK(rig.world.backups_kept() == 0);
    rig.apply(Kind::kBackup, facts, 2h, Change::What::kApplied);
    CHECK(acts().empty());
  }
}
