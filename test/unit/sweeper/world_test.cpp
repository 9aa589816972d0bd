#include "sweeper/world/world.h"

#include "freeze/names.h"
#include "test/support/catch.h"
#include "test/unit/sweeper/build.h"

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;
using namespace snapfreeze::sweeper;
using freeze::Phase;
using freeze::Session;
using What = Change::What;
namespace reason = freeze::reason;

namespace {

// A world whose news is heard as one.
struct HeardWorld {
  World world{ThawOn::kCaptured};
  News heard;

  void hear(News news) {
    heard.sessions.merge(news.sessions);
    heard.strays.merge(news.strays);
    heard.guests.merge(news.guests);
    heard.deleted.insert(heard.deleted.end(), news.deleted.begin(), news.deleted.end());
  }
  News take_news() { return std::exchange(heard, {}); }
  void apply(const Change& change, Observed now) { hear(world.apply(change, now)); }
  void wrote(const Session& session, Mono now) { hear(world.wrote(session, now)); }
  void read_afresh(const Session& session, Mono now) { hear(world.read_afresh(session, now)); }
  void ended(const std::string& uid, Mono now) { hear(world.ended(uid, now)); }
  void judged(const std::string& uid, const freeze::Verdict& verdict) { hear(world.judged(uid, verdict)); }
  void judged_backup(const std::string& uid, const freeze::Verdict& verdict) {
    hear(world.judged_backup(uid, verdict));
  }
  void forget(const std::string& uid) { world.forget(uid); }
  void forget_old_backups(Wall bound, Mono now = kStart) { world.forget_old_backups(bound, now); }
  auto situation(const std::string& uid) const { return world.situation(uid); }
  auto stray(const std::string& uid) const { return world.stray(uid); }
  auto frozen_guest(const std::string& guest) const { return world.frozen_guest(guest); }
  auto snapshots_kept() const { return world.snapshots_kept(); }
  auto backups_kept() const { return world.backups_kept(); }
  const auto& phases() const { return world.phases(); }
};

struct WorldRig {
  WorldRig() {
    for (int kind = 0; kind < kKinds; ++kind) relist(static_cast<Kind>(kind), {}, 0ms);
    world.take_news();
  }

  void apply(Kind kind, Facts facts, Millis when = 100ms) {
    world.apply({kind, What::kApplied, std::move(facts)}, at(when));
  }
  void remove(Kind kind, Facts facts, Millis when = 100ms) {
    world.apply({kind, What::kDeleted, std::move(facts)}, at(when));
  }
  void relist(Kind kind, const std::vector<Facts>& all, Millis when = 100ms) {
    world.apply({kind, What::kRelistStarted, {}}, at(when));
    for (const Facts& facts : all) apply(kind, facts, when);
    world.apply({kind, What::kRelistDone, {}}, at(when));
  }
  void capture(const std::string& name, Millis when, Kind kind = Kind::kContent) {
    apply(kind, CaptureFacts{"uid-" + name, true}, when);
  }
  Situation now() { return *world.situation("epoch-1"); }
  Sightings seen() { return now().sightings; }
  bool known() { return world.situation("epoch-1").has_value(); }

  HeardWorld world;
};

Session at_version(const std::string& version, Phase phase = Phase::kFrozen) {
  Session s = session(phase);
  s.resource_version = version;
  return s;
}

}  // namespace

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
    rig.apply(Kind::kSession, at_version("91", Phase::kResting));
    CHECK(rig.now().session.phase == Phase::kResting);
  }
  SECTION("a session that we ended is there again") {
    rig.world.ended("epoch-1", at(200ms).at);
    rig.relist(Kind::kSession, {at_version("90")});
    REQUIRE(rig.known());
    CHECK_FALSE(rig.seen().from_birth);
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

TEST_CASE("a backup for which Harvester froze is known to a rescue also when it was deleted") {
  WorldRig rig;
  VmiFacts guest = vmi();
  guest.reported_frozen = true;
  rig.apply(Kind::kVmi, guest);
  BackupFacts facts = backup({});
  facts.harvester_froze = true;
  rig.apply(Kind::kBackup, facts);
  rig.remove(Kind::kBackup, facts);
  CHECK(rig.world.frozen_guest("vms/vm1")->backups.size() == 1);
  rig.world.forget_old_backups(kServerStart + 2h, kStart + 2h);
  CHECK(rig.world.frozen_guest("vms/vm1")->backups.empty());
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

TEST_CASE("sessions are counted by phase") {
  WorldRig rig;
  rig.apply(Kind::kSession, at_version("100", Phase::kFreezing));
  rig.apply(Kind::kSession, at_version("101"));
  CHECK(rig.world.phases().at(Phase::kFreezing) == 0);
  CHECK(rig.world.phases().at(Phase::kFrozen) == 1);
  rig.remove(Kind::kSession, at_version("102"));
  CHECK(rig.world.phases().at(Phase::kFrozen) == 0);
}
