// Which thaws are written down ahead, and what is claimed of a session whose thaw was.
#include "sweeper/arming.h"

#include "sweeper/arm.h"
#include "sweeper/make_jobs.h"
#include "sweeper/sweeper.h"
#include "test/unit/sweeper/rig.h"

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;
using namespace snapfreeze::sweeper;
using freeze::Intent;
using freeze::Phase;
using freeze::Session;
using Action = Plan::Action;
using Claims = std::map<std::string, Millis>;
using Doubts = std::vector<freeze::Reason>;
using End = ThawDone::End;
using Uids = std::vector<std::string>;
namespace reason = freeze::reason;

namespace {

// Two disks, both there, none captured, watched from the beginning.
Situation waiting(Phase phase = Phase::kFrozen) {
  Situation s;
  s.session = session(phase);
  s.sightings.first_seen = s.sightings.phase_since = kStart;
  s.sightings.from_birth = s.sightings.vmi_seen = true;
  s.guest.known = true;
  s.holds.push_back({harvester_hold(), {"disk-0", "disk-1"}, kStart, false, {}, {}});
  for (const std::string name : {"disk-0", "disk-1"}) {
    s.members.push_back({"uid-" + name, "vms", name, name, 0, std::nullopt, {}, {}});
  }
  if (phase == Phase::kArmed) s.session.intent = {Intent::Call::kUnfreeze, "me", {"uid-disk-0", "uid-disk-1"}};
  return s;
}

void capture(Situation& s, std::size_t member, Millis when) {
  s.members.at(member).captured = at(when);
}

// A backup that joined, with one disk.
void join(Situation& s) {
  s.session.holds.push_back(harvester_hold("b2"));
  s.holds.push_back({harvester_hold("b2"), {"other"}, kStart, false, {}, {}});
  s.members.push_back({"uid-other", "vms", "other", "disk-0", 1, std::nullopt, {}, {}});
}

Plan plan(const Situation& s, Millis now, const Progress& progress = {}) {
  return plan_session(s, progress, at(now), {}, "me");
}

Progress armed_by_us(Millis until = 2000ms) {
  Progress progress;
  progress.arm_tried = true;
  progress.armed_until = at(until).at;
  return progress;
}

}  // namespace

TEST_CASE("a session is armed when only cuts are waited for") {
  Situation s = waiting();
  CHECK(plan(s, 100ms).action == Action::kWait);
  CHECK(plan(s, 100ms).arm_after == Uids{"uid-disk-0", "uid-disk-1"});
  capture(s, 0, 50ms);
  CHECK(plan(s, 100ms).arm_after == Uids{"uid-disk-0", "uid-disk-1"});
  SECTION("not twice") {
    Progress progress;
    progress.arm_tried = true;
    CHECK(plan(s, 100ms, progress).arm_after.empty());
  }
  SECTION("not before each named disk has come") {
    s.holds[0].names.emplace_back("disk-2");
    CHECK(plan(s, 100ms).arm_after.empty());
    s.holds[0].elsewhere["disk-2"] = freeze::crash(reason::kBusy);
    CHECK(plan(s, 100ms).arm_after.size() == 2);
  }
  SECTION("not before the names are known") {
    s.holds[0].names.clear();
    CHECK(plan(s, 100ms).arm_after.empty());
  }
  SECTION("not for a part of its holds") {
    join(s);
    CHECK(plan(s, 100ms).arm_after.size() == 3);
    s.members.pop_back();
    CHECK(plan(s, 100ms).arm_after.empty());
  }
  SECTION("not with a doubt, or with a call that is not settled") {
    s.session.doubt(reason::kHarvesterTimer);
    CHECK(plan(s, 100ms).arm_after.empty());
    s.session.doubts.clear();
    s.session.unsettled = true;
    CHECK(plan(s, 100ms).arm_after.empty());
    s.session.unsettled = false;
    Progress progress;
    progress.doubts = {reason::kThawUnsettled};
    CHECK(plan(s, 100ms, progress).arm_after.empty());
  }
  SECTION("not on Windows, whose reply counts") {
    s.session.windows = true;
    CHECK(plan(s, 100ms).arm_after.empty());
  }
  SECTION("not when what was armed before may hide a call") {
    s.session.phase = Phase::kArmed;
    s.session.intent = {Intent::Call::kUnfreeze, "another", {"uid-disk-1"}};
    REQUIRE(plan(s, 100ms).action == Action::kWait);
    CHECK(plan(s, 100ms).arm_after.empty());
  }
  SECTION("not when it is complete") {
    capture(s, 1, 90ms);
    CHECK(plan(s, 100ms).action == Action::kThaw);
    CHECK(plan(s, 100ms).arm_after.empty());
  }
  SECTION("not with more disks than a Lease should list") {
    for (std::size_t i = 0; i < kMostArmed; ++i) {
      s.members.push_back({"uid-" + std::to_string(i), "vms", "disk-0", "disk-0", 0, std::nullopt, {}, {}});
    }
    CHECK(plan(s, 100ms).arm_after.empty());
  }
}

TEST_CASE("labelled snapshots are armed for by their count, and without one they are not") {
  Situation s = waiting();
  s.holds[0] = {label_hold(2), {}, kStart, false, {}, {}};
  CHECK(plan(s, 100ms).arm_after.size() == 2);
  s.holds[0].hold.members = 3;
  CHECK(plan(s, 100ms).arm_after.empty());
  s.holds[0].hold.members = 0;
  CHECK(plan(s, 100ms).arm_after.empty());
}

TEST_CASE("at the last capture the armed call leaves ahead of its record") {
  Situation s = waiting(Phase::kArmed);
  capture(s, 0, 500ms);
  CHECK(plan(s, 600ms, armed_by_us()).action == Action::kWait);
  capture(s, 1, 900ms);
  const Plan thaw = plan(s, 901ms, armed_by_us());
  CHECK(thaw.action == Action::kThaw);
  CHECK(thaw.armed_until == at(2000ms).at);
  CHECK_FALSE(thaw.unsettled);
  CHECK(thaw.captured == Claims{{"uid-disk-0", 500ms}, {"uid-disk-1", 900ms}});
  CHECK(thaw_job(s, thaw, armed_by_us(), "me").armed_until == at(2000ms).at);
}

TEST_CASE("where the record matters first, it comes first, also in a session that we armed") {
  Situation s = waiting(Phase::kArmed);
  capture(s, 0, 500ms);
  capture(s, 1, 900ms);
  Progress progress = armed_by_us();
  Millis now = 901ms;
  SECTION("the arms are old") {
    now = 2000ms;
  }
  SECTION("only Longhorn itself tells of a cut") {
    s.members[1].captured.reset();
    s.members[1].live = LiveCut{at(900ms), kServerStart};
  }
  SECTION("a doubt was seen") {
    s.sightings.kubevirt_snapshot = true;
  }
  SECTION("a doubt follows from what was not seen") {
    s.sightings.from_birth = false;
    REQUIRE(plan(s, now, progress).doubts == Doubts{reason::kUnverified});
  }
  SECTION("a doubt is on record") {
    s.session.doubt(reason::kThawUnsettled);
  }
  SECTION("a doubt was found by an earlier call") {
    progress.doubts = {reason::kThawUnsettled};
  }
  SECTION("an earlier thaw has failed") {
    progress.failures = 1;
  }
  SECTION("the guest shuts down") {
    s.guest.deleting = true;
  }
  SECTION("the guest is gone") {
    s.guest.gone = true;
  }
  SECTION("the guest must be looked at") {
    s.sightings.frozen_since = kStart - 20s;
  }
  SECTION("it is to be released without a capture that was waited for") {
    s.members[1].captured.reset();
    s.holds[0].deleted = true;
  }
  SECTION("a snapshot that was waited for is a member no more") {
    s.members.pop_back();
    s.holds[0].names.pop_back();
  }
  const Plan thaw = plan(s, now, progress);
  CHECK(thaw.action == Action::kThaw);
  CHECK_FALSE(thaw.armed_until);
  CHECK_FALSE(thaw.unsettled);
}

TEST_CASE("the armed call does not leave after the deadline") {
  Situation s = waiting(Phase::kArmed);
  s.session.timer = 5s;
  s.sightings.first_seen = kStart;
  capture(s, 0, 500ms);
  capture(s, 1, 900ms);
  CHECK(plan(s, 3000ms, armed_by_us(60s)).armed_until == at(4000ms).at);
  CHECK_FALSE(plan(s, 4000ms, armed_by_us(60s)).armed_until);
}

TEST_CASE("of a session that another leader armed, only what its call had to wait for is claimed") {
  Situation s = waiting(Phase::kArmed);
  s.session.intent.by = "another";
  join(s);
  capture(s, 0, 500ms);
  CHECK(plan(s, 1000ms).action == Action::kWait);
  capture(s, 1, 900ms);
  // Nothing can be claimed of the one that joined, so the guest is not held for it.
  CHECK(plan(s, 1000ms).action == Action::kThaw);
  CHECK(plan(s, 1000ms, armed_by_us()).action == Action::kWait);
  capture(s, 2, 1200ms);
  const Plan thaw = plan(s, 1300ms);
  CHECK(thaw.action == Action::kThaw);
  CHECK_FALSE(thaw.armed_until);
  CHECK(thaw.unsettled);
  CHECK(thaw.captured == Claims{{"uid-disk-0", 500ms}, {"uid-disk-1", 900ms}});
  SECTION("likewise of one that we armed in another life") {
    s.session.intent.by = "me";
    CHECK(plan(s, 1300ms).captured == thaw.captured);
    CHECK(plan(s, 1300ms).unsettled);
  }
  SECTION("likewise of what only Longhorn tells") {
    s.members[2].captured.reset();
    s.members[2].live = LiveCut{at(1200ms), kServerStart};
    CHECK(plan(s, 1300ms).unproven.empty());
  }
  SECTION("one that we armed ourselves, and have not thawed, holds the others as well") {
    s.session.intent.by = "me";
    CHECK(plan(s, 1300ms, armed_by_us()).captured.size() == 3);
    CHECK_FALSE(plan(s, 1300ms, armed_by_us()).unsettled);
  }
}

TEST_CASE("what was captured after the armed call had left is never claimed") {
  Situation s = waiting(Phase::kArmed);
  capture(s, 0, 500ms);
  capture(s, 1, 900ms);
  Progress progress = armed_by_us();
  progress.sent = Claims{{"uid-disk-0", 500ms}, {"uid-disk-1", 900ms}};
  join(s);
  s.sightings.lapsed = true;  // since our own call
  const auto phase = GENERATE(Phase::kArmed, Phase::kFrozen);
  s.session.phase = phase;
  for (const bool cut : {false, true}) {
    if (cut) capture(s, 2, 1200ms);
    const Plan again = plan(s, 1300ms, progress);
    CHECK(again.action == Action::kThaw);
    CHECK_FALSE(again.armed_until);
    CHECK(again.doubts.empty());
    CHECK(again.captured == *progress.sent);
    CHECK(thaw_job(s, again, progress, "me").was_sent);
    CHECK(thaw_job(s, again, progress, "me").sources.empty());
  }
}

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
