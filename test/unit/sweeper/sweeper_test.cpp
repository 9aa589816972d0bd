// The core on its own: who is given jobs, and what is kept.
#include "sweeper/sweeper.h"

#include "freeze/names.h"
#include "test/unit/sweeper/rig.h"

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;
using namespace snapfreeze::sweeper;
using freeze::Phase;
using What = Change::What;

namespace {

struct CoreRig : Rig {
  CoreRig() : core(seams, {"me", {}}, {}) {
    for (int kind = 0; kind < kKinds; ++kind) {
      core.on_change({static_cast<Kind>(kind), What::kRelistStarted, {}});
      core.on_change({static_cast<Kind>(kind), What::kRelistDone, {}});
    }
  }

  void apply(Kind kind, Facts facts) { core.on_change({kind, What::kApplied, std::move(facts)}); }
  // An hour-old session in that phase.
  freeze::Session old_session(Phase phase) {
    freeze::Session its_session = session(phase);
    its_session.created = runtime.wall() - 1h;
    return its_session;
  }
  SnapshotFacts finished(int i) {
    SnapshotFacts facts = snapshot("s" + std::to_string(i), "epoch-of-" + std::to_string(i));
    facts.verdict = said("filesystem");
    return facts;
  }

  Sweeper core;
};

}  // namespace

TEST_CASE("a session that is due is one job, until that is done") {
  CoreRig rig;
  rig.apply(Kind::kSession, rig.old_session(Phase::kThawing));
  const auto jobs = rig.core.take_due();
  REQUIRE(jobs.size() == 1);
  CHECK(std::holds_alternative<ThawJob>(jobs[0].what));
  CHECK(jobs[0].lane() == Job::Lane::kThaw);
  CHECK(rig.core.take_due().empty());
  freeze::Session changed = rig.old_session(Phase::kThawing);
  changed.resource_version = "200";
  rig.apply(Kind::kSession, changed);
  CHECK(rig.core.take_due().empty());
  CHECK_FALSE(rig.core.idle());
  ThawDone settled;
  settled.end = ThawDone::End::kSettled;
  settled.session = changed;
  rig.core.done({jobs[0].key, settled});
  const auto look = rig.core.take_due();
  REQUIRE(look.size() == 1);
  CHECK(std::holds_alternative<LookJob>(look[0].what));
  CHECK(look[0].lane() == Job::Lane::kOther);
  CHECK(rig.core.take_due().empty());
  rig.core.done({look[0].key, std::make_shared<const Look>()});
  const auto next = rig.core.take_due();
  REQUIRE(next.size() == 1);
  CHECK(std::get<ConcludeJob>(next[0].what).look != nullptr);
  CHECK(next[0].lane() == Job::Lane::kOther);
}

TEST_CASE("who does not lead is given no jobs, and everything once it leads") {
  CoreRig rig;
  rig.leadership.lost_after = 0;
  rig.apply(Kind::kSession, rig.old_session(Phase::kFrozen));
  CHECK(rig.core.take_due().empty());
  CHECK(rig.core.next_wake() > rig.runtime.now());
  rig.leadership.lost_after.reset();
  CHECK(rig.core.take_due().size() == 1);
}

TEST_CASE("nobody is given jobs before everything was listed") {
  Rig rig;
  Sweeper core(rig.seams, {"me", {}}, {});
  core.on_change({Kind::kSession, What::kRelistStarted, {}});
  core.on_change({Kind::kSession, What::kApplied, session(Phase::kThawing)});
  core.on_change({Kind::kSession, What::kRelistDone, {}});
  CHECK(core.take_due().empty());
  CHECK_FALSE(core.synced());
}

TEST_CASE("a failed thaw is made again after its backoff, and a doubt found in it is kept") {
  CoreRig rig;
  rig.apply(Kind::kSession, rig.old_session(Phase::kThawing));
  const Job first = rig.core.take_due().at(0);
  ThawDone unsettled;
  unsettled.end = ThawDone::End::kUnsettled;
  unsettled.session = std::get<ThawJob>(first.what).session;
  unsettled.session.unsettled = true;
  unsettled.session.doubt(freeze::reason::kThawUnsettled);
  rig.core.done({first.key, unsettled});
  CHECK(rig.core.take_due().empty());
  CHECK(rig.core.next_wake() == rig.runtime.now() + 200ms);
  rig.runtime.sleep_for(200ms);
  const auto again = rig.core.take_due();
  REQUIRE(again.size() == 1);
  CHECK(again[0].lane() == Job::Lane::kThawAgain);
  CHECK(std::get<ThawJob>(again[0].what).session.unsettled);
  CHECK(std::get<ThawJob>(again[0].what).session.doubts.size() == 1);
}

TEST_CASE("a session that somebody deletes during its thaw is begun again, unless the thaw succeeds") {
  CoreRig rig;
  rig.apply(Kind::kSession, rig.old_session(Phase::kThawing));
  const Job thaw = rig.core.take_due().at(0);
  ThawDone done;
  done.session = std::get<ThawJob>(thaw.what).session;
  rig.core.on_change({Kind::kSession, What::kDeleted, done.session});
  CHECK(rig.core.take_due().empty());
  const auto begun_again = [&] {
    rig.core.done({thaw.key, done});
    for (const Job& job : rig.core.take_due()) {
      const auto* open = std::get_if<OpenJob>(&job.what);
      if (open != nullptr) return open->kind == OpenJob::Kind::kReopen;
    }
    return false;
  };
  SECTION("no reply") {
    done.end = ThawDone::End::kUnsettled;
    done.session.unsettled = true;
    CHECK(begun_again());
  }
  SECTION("a call, and no record of it") {
    done.end = ThawDone::End::kReplan;
    done.gone = true;
    CHECK(begun_again());
  }
  SECTION("no call") {
    done.end = ThawDone::End::kNotMade;
    CHECK(begun_again());
  }
  SECTION("thawed") {
    done.end = ThawDone::End::kSettled;
    CHECK_FALSE(begun_again());
  }
  SECTION("thawed, but an earlier call may come late") {
    done.end = ThawDone::End::kSettled;
    done.session.unsettled = true;
    CHECK(begun_again());
  }
}

TEST_CASE("a leader that comes back knows no more that a guest is thawed, but what it left unsettled") {
  CoreRig rig;
  rig.apply(Kind::kSession, rig.old_session(Phase::kThawing));
  const Job first = rig.core.take_due().at(0);
  ThawDone settled;
  settled.end = ThawDone::End::kSettled;
  settled.session = std::get<ThawJob>(first.what).session;
  settled.session.unsettled = true;
  rig.core.done({first.key, settled});
  rig.leadership.lost_after = 0;
  CHECK(rig.core.take_due().empty());
  rig.leadership.lost_after.reset();
  const auto again = rig.core.take_due();
  REQUIRE(again.size() == 1);
  REQUIRE(std::holds_alternative<ThawJob>(again[0].what));
  CHECK(std::get<ThawJob>(again[0].what).session.unsettled);
}

TEST_CASE("when it winds down what is thawed is concluded, and no guest is touched") {
  CoreRig rig;
  rig.apply(Kind::kSession, rig.old_session(Phase::kThawing));
  const Job thaw = rig.core.take_due().at(0);
  rig.core.wind_down();
  ThawDone settled;
  settled.end = ThawDone::End::kSettled;
  settled.session = std::get<ThawJob>(thaw.what).session;
  rig.core.done({thaw.key, settled});
  CHECK(rig.core.take_due().size() == 1);
  freeze::Session other = rig.old_session(Phase::kThawing);
  other.uid = "epoch-2";
  other.vm = "vm2";
  rig.apply(Kind::kSession, other);
  CHECK(rig.core.take_due().empty());
}

// All of them name one backup, as copied owner references would.
TEST_CASE("thousands of finished snapshots are not kept, whoever leads") {
  CoreRig rig;
  rig.leadership.lost_after = 0;
  for (int i = 0; i < 5000; ++i) rig.apply(Kind::kSnapshot, rig.finished(i));
  (void)rig.core.take_due();
  // Their backups might be news as well, and late.
  rig.runtime.sleep_for(11s);
  (void)rig.core.take_due();
  CHECK(rig.core.world().snapshots_kept() == 0);
}

TEST_CASE("finished snapshots that are listed at the start are not kept for a moment") {
  CoreRig rig;
  rig.core.on_change({Kind::kSnapshot, What::kRelistStarted, {}});
  for (int i = 0; i < 5000; ++i) rig.apply(Kind::kSnapshot, rig.finished(i));
  CHECK(rig.core.world().snapshots_kept() == 0);
  rig.core.on_change({Kind::kSnapshot, What::kRelistDone, {}});
}

TEST_CASE("a session that loses every race does not spin") {
  CoreRig rig;
  rig.apply(Kind::kSession, rig.old_session(Phase::kThawing));
  int planned = 0;
  for (int i = 0; i < 100; ++i) {
    for (const Job& job : rig.core.take_due()) {
      ++planned;
      ThawDone replan;
      replan.end = ThawDone::End::kReplan;
      replan.session = std::get<ThawJob>(job.what).session;
      rig.core.done({job.key, replan});
    }
    rig.runtime.sleep_for(10ms);
  }
  CHECK(planned <= 5);
}

TEST_CASE("after a conflict a session is what was read afresh, also when etcd was restored and its version is older") {
  CoreRig rig;
  rig.apply(Kind::kSession, rig.old_session(Phase::kThawing));
  const Job job = rig.core.take_due().at(0);
  ThawDone replan;
  replan.end = ThawDone::End::kReplan;
  replan.session = rig.old_session(Phase::kFrozen);
  replan.session.resource_version = "7";
  rig.core.done({job.key, replan});
  CHECK(rig.core.world().situation(replan.session.uid)->session.phase == Phase::kFrozen);
}
