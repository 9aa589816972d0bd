// Arms that are written, and the thaw whose call leaves beside its record.
#include "sweeper/arm.h"
#include "sweeper/arming.h"
#include "sweeper/sweeper.h"
#include "test/unit/sweeper/rig.h"

namespace armed_thaw_test {

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;
using namespace snapfreeze::sweeper;
using freeze::Intent;
using freeze::Phase;
using freeze::Session;
using Claims = std::map<std::string, Millis>;
using Doubts = std::vector<freeze::Reason>;
using End = ThawDone::End;
namespace reason = freeze::reason;

namespace {

struct ArmedRig : Rig {
  // Armed by us, and every disk captured.
  ThawJob job() {
    Session armed = begin(Phase::kFrozen);
    armed.phase = Phase::kArmed;
    armed.intent = {Intent::Call::kUnfreeze, "me", {"uid-1"}};
    const ArmDone done = arm(seams, {armed});
    REQUIRE(done.end == ArmDone::End::kArmed);
    cluster.locked([&] { cluster.faults().clear_ledger(); });
    ThawJob its_job;
    its_job.session = done.session;
    its_job.session.phase = Phase::kThawing;
    its_job.session.intent = {Intent::Call::kUnfreeze, "me"};
    its_job.session.captured = {{"uid-1", 700ms}};
    its_job.frozen_since = runtime.now();
    its_job.armed_until = done.until;
    return its_job;
  }
  ThawDone thaw(const ThawJob& its_job) { return sweeper::thaw(seams, its_job); }
  void join() {
    Session joined = *on_record();
    joined.holds.push_back(harvester_hold("b2"));
    REQUIRE(machine.sessions.update(joined).ok());
  }
  // The session's Lease is deleted by hand, and another session begins.
  Session replace() {
    REQUIRE(machine.sessions.remove(*on_record()).ok());
    return begin(Phase::kFrozen, "uid-b2");
  }
};

}  // namespace

TEST_CASE("the armed call leaves beside its record, and its intent was on record") {
  ArmedRig rig;
  const ThawJob job = rig.job();
  const Mono begin = rig.runtime.now();
  const ThawDone done = rig.thaw(job);
  CHECK(done.end == End::kSettled);
  CHECK(rig.unrecorded.empty());
  CHECK(rig.calls() == 2);
  CHECK(rig.on_record()->phase == Phase::kThawing);
  CHECK(rig.on_record()->captured == job.session.captured);
  CHECK(rig.on_record()->intent.after.empty());
  CHECK(done.session.resource_version == rig.on_record()->resource_version);
  CHECK(rig.runtime.now() - begin < 100ms);
}

TEST_CASE("arms that are too old, or a leadership that ends too soon, leave the record first") {
  ArmedRig rig;
  ThawJob job = rig.job();
  SECTION("too old") {
    rig.runtime.sleep_for(kArmedFor + 1ms);
    CHECK(rig.thaw(job).end == End::kSettled);
    // One after the other.
    CHECK(rig.calls("unfreeze") == 1);
    CHECK(rig.on_record()->intent.after.empty());
    CHECK(rig.unrecorded.empty());
  }
  SECTION("not for long enough, and then not at all") {
    rig.leadership.lost_after = 0;
    CHECK(rig.thaw(job).end == End::kNotMade);
    CHECK(rig.calls() == 0);
  }
}

TEST_CASE("a backup that joined while the armed call was on its way is on record, without captures") {
  ArmedRig rig;
  const ThawJob job = rig.job();
  rig.join();
  const ThawDone done = rig.thaw(job);
  CHECK(done.end == End::kSettled);
  CHECK(rig.on_record()->phase == Phase::kThawing);
  CHECK(rig.on_record()->holds.size() == 2);
  CHECK(rig.on_record()->captured == job.session.captured);
  CHECK(done.session.resource_version == rig.on_record()->resource_version);
}

TEST_CASE("another session that the armed call may have reached is doubted, and ours is gone") {
  ArmedRig rig;
  const ThawJob job = rig.job();
  const Session next = rig.replace();
  const ThawDone done = rig.thaw(job);
  CHECK(done.end == End::kReplan);
  CHECK(done.gone);
  CHECK(rig.on_record()->uid == next.uid);
  CHECK(rig.on_record()->doubts == Doubts{reason::kThawUnsettled});
  CHECK(rig.on_record()->captured.empty());
}

TEST_CASE("what an admin or another leader wrote meanwhile stands, and our call is one that may come late") {
  ArmedRig rig;
  const ThawJob job = rig.job();
  Session by_hand = *rig.on_record();
  by_hand.phase = Phase::kThawing;
  by_hand.intent = {Intent::Call::kUnfreeze, "admin"};
  by_hand.doubt(reason::kThawedByHand);
  REQUIRE(rig.machine.sessions.update(by_hand).ok());
  cluster::GuestFault fails;
  fails.operation = "unfreeze";
  rig.cluster.guests().add_fault("vms", "vm1", fails);
  const ThawDone done = rig.thaw(job);
  CHECK(done.end == End::kReplan);
  CHECK_FALSE(done.gone);
  CHECK(done.session.unsettled);
  CHECK(rig.on_record()->captured.empty());
  CHECK(rig.on_record()->intent.by == "admin");
}

TEST_CASE("an armed call whose record cannot be written is recorded by the next attempt, with the same captures") {
  ArmedRig rig;
  ThawJob job = rig.job();
  rig.fail("patch", "leases", 500, 1);
  const ThawDone unrecorded = rig.thaw(job);
  CHECK(unrecorded.end == End::kUnrecorded);
  CHECK(unrecorded.session.captured == job.session.captured);
  CHECK(rig.on_record()->phase == Phase::kArmed);
  job.armed_until.reset();
  job.was_sent = true;
  SECTION("as it was") {}
  SECTION("joined meanwhile") {
    rig.join();
  }
  const ThawDone done = rig.thaw(job);
  CHECK(done.end == End::kSettled);
  CHECK(rig.on_record()->phase == Phase::kThawing);
  CHECK(rig.on_record()->captured == job.session.captured);
}

TEST_CASE("a session that took the place of ours before the armed call was recorded is doubted by the next attempt") {
  ArmedRig rig;
  ThawJob job = rig.job();
  (void)rig.replace();
  rig.fail("get", "leases", 500, 1);
  CHECK(rig.thaw(job).end == End::kUnrecorded);
  CHECK(rig.on_record()->doubts.empty());
  job.armed_until.reset();
  job.was_sent = true;
  const ThawDone done = rig.thaw(job);
  CHECK(done.gone);
  CHECK(rig.on_record()->doubts == Doubts{reason::kThawUnsettled});
}

TEST_CASE(
    "a leader arms a session once, beside nothing else, and not when it winds down or waits for more than a cut") {
  Rig rig;
  Sweeper::Options options;
  SECTION("on a cut") {}
  SECTION("thaws on ready") {
    options.thaw_on = ThawOn::kReady;
  }
  const bool arms = options.thaw_on == ThawOn::kCaptured;
  Sweeper core(rig.seams, rig.settings, options);
  for (int kind = 0; kind < kKinds; ++kind) {
    core.on_change({static_cast<Kind>(kind), Change::What::kRelistStarted, {}});
    core.on_change({static_cast<Kind>(kind), Change::What::kRelistDone, {}});
  }
  const auto apply = [&](Kind kind, Facts facts) { core.on_change({kind, Change::What::kApplied, std::move(facts)}); };
  Session held = session();
  held.created = rig.runtime.wall();
  SnapshotFacts disk = snapshot("a");
  disk.created = held.created;
  apply(Kind::kVmi, vmi());
  apply(Kind::kBackup, backup({"a"}));
  apply(Kind::kSession, held);
  apply(Kind::kSnapshot, disk);
  const auto jobs = core.take_due();
  REQUIRE(jobs.size() == (arms ? 1 : 0));
  if (!arms) return;
  REQUIRE(std::holds_alternative<ArmJob>(jobs[0].what));
  CHECK(jobs[0].lane() == Job::Lane::kThaw);
  const Session armed = std::get<ArmJob>(jobs[0].what).session;
  CHECK(armed.phase == Phase::kArmed);
  CHECK(armed.intent == Intent{Intent::Call::kUnfreeze, "me", {"uid-a"}});
  core.done({jobs[0].key, ArmDone{}});
  CHECK(core.take_due().empty());
  core.wind_down();
  disk.captured = true;
  apply(Kind::kSnapshot, disk);
  CHECK(core.take_due().empty());
}

TEST_CASE("what an armed call may claim is kept until its record is written, also by a leader that comes back") {
  Rig rig;
  Sweeper core(rig.seams, rig.settings, {});
  for (int kind = 0; kind < kKinds; ++kind) {
    core.on_change({static_cast<Kind>(kind), Change::What::kRelistStarted, {}});
    core.on_change({static_cast<Kind>(kind), Change::What::kRelistDone, {}});
  }
  Session armed = session(Phase::kFreezing);
  armed.created = std::chrono::floor<std::chrono::seconds>(rig.runtime.wall());
  core.on_change({Kind::kSession, Change::What::kApplied, armed});
  armed.phase = Phase::kArmed;
  armed.intent = {Intent::Call::kUnfreeze, "me", {"uid-a"}};
  armed.resource_version = "101";
  const auto apply = [&](const std::string& name) {
    SnapshotFacts disk = snapshot(name);
    disk.created = armed.created;
    disk.captured = true;
    core.on_change({Kind::kSnapshot, Change::What::kApplied, disk});
  };
  core.on_change({Kind::kVmi, Change::What::kApplied, vmi()});
  core.on_change({Kind::kBackup, Change::What::kApplied, backup({"a"})});
  core.on_change({Kind::kSession, Change::What::kApplied, armed});
  apply("a");
  const Job first = core.take_due().at(0);
  ThawDone unrecorded;
  unrecorded.end = End::kUnrecorded;
  unrecorded.session = std::get<ThawJob>(first.what).session;
  const Claims claims = unrecorded.session.captured;
  REQUIRE(claims.size() == 1);
  core.done({first.key, unrecorded});
  apply("b");
  SECTION("at once") {}
  SECTION("after another has led") {
    rig.leadership.lost_after = 0;
    CHECK(core.take_due().empty());
    rig.leadership.lost_after.reset();
  }
  rig.runtime.sleep_for(200ms);
  const auto again = core.take_due();
  REQUIRE(again.size() == 1);
  CHECK(std::get<ThawJob>(again[0].what).was_sent);
  CHECK(std::get<ThawJob>(again[0].what).session.captured == claims);
}

TEST_CASE("arms that cannot be written are no matter") {
  ArmedRig rig;
  Session armed = rig.begin(Phase::kFrozen);
  armed.phase = Phase::kArmed;
  armed.intent = {Intent::Call::kUnfreeze, "me", {"uid-1"}};
  SECTION("a fault") {
    rig.fail("patch", "leases", 500, 1);
    CHECK(arm(rig.seams, {armed}).end == ArmDone::End::kNotArmed);
  }
  SECTION("not the leader") {
    rig.leadership.lost_after = 0;
    CHECK(arm(rig.seams, {armed}).end == ArmDone::End::kNotArmed);
    CHECK(rig.calls() == 0);
  }
  SECTION("the API server is slow: the thaw does not wait for long") {
    cluster::Fault slow;
    slow.kind = cluster::FaultKind::kDelayAfter;
    slow.verb = "patch";
    slow.delay = 8000ms;
    rig.cluster.add_fault(slow);
    const Mono begin = rig.runtime.now();
    CHECK(arm(rig.seams, {armed}).end == ArmDone::End::kNotArmed);
    CHECK(rig.runtime.now() - begin <= 1s);
  }
  SECTION("it was joined meanwhile") {
    rig.join();
    const ArmDone done = arm(rig.seams, {armed});
    CHECK(done.end == ArmDone::End::kReplan);
    CHECK_FALSE(done.gone);
    CHECK(done.session.holds.size() == 2);
  }
  SECTION("it is gone") {
    REQUIRE(rig.machine.sessions.remove(*rig.on_record()).ok());
    CHECK(arm(rig.seams, {armed}).gone);
  }
}

}  // namespace armed_thaw_test
