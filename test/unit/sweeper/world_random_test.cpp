// Any object may change any field at any time, each watch by itself: random sequences of changes, beside a model that
// keeps nothing but the objects themselves and looks for what belongs together.
#include <map>
#include <random>

#include "freeze/names.h"
#include "sweeper/planner.h"
#include "sweeper/world/world.h"
#include "test/support/catch.h"
#include "test/unit/sweeper/build.h"

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace snapfreeze::sweeper;
using freeze::Phase;
using What = Change::What;

namespace {

class RandomWorld {
 public:
  explicit RandomWorld(unsigned seed) : random_(seed) {
    for (int kind = 0; kind < kKinds; ++kind) {
      (void)world_.apply({static_cast<Kind>(kind), What::kRelistStarted, {}}, now());
      (void)world_.apply({static_cast<Kind>(kind), What::kRelistDone, {}}, now());
    }
  }

  void step() {
    time_ += Millis(draw(0, 3000));
    switch (draw(0, 9)) {
      case 0:
      case 1:
        return change_session();
      case 2:
      case 3:
      case 4:
        return change_snapshot();
      case 5:
        return change_backup();
      case 6:
        return change_guest();
      case 7:
        return change_capture();
      case 8:
        return judge();
      default:
        return relist();
    }
  }

  // Each session has exactly the members that the model finds; everything can be described and planned.
  void check() {
    for (const auto& [uid, session] : sessions_) {
      const auto situation = world_.situation(uid);
      REQUIRE(situation);
      std::set<std::string> members;
      for (const Member& member : situation->members) members.insert(member.uid);
      CHECK(members == members_of(session));
      (void)plan_session(*situation, {}, now(), {}, "me");
    }
    for (const auto& [uid, snapshot] : snapshots_) {
      const auto stray = world_.stray(uid);
      const bool has_session =
          sessions_.contains(snapshot.epoch) && sessions_.at(snapshot.epoch).namespace_ == snapshot.namespace_;
      CHECK(stray.has_value() != has_session);
      if (stray) (void)plan_stray(*stray, now().at);
    }
    for (const std::string guest : {"vms/vm1", "vms/vm2", "others/vm1", "others/vm2"}) {
      if (const auto frozen = world_.frozen_guest(guest)) (void)plan_rescue(*frozen, now(), {});
    }
    CHECK(world_.snapshots_kept() == snapshots_.size());
    CHECK(world_.backups_kept() == backups_.size());
  }

 private:
  int draw(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  bool coin() { return draw(0, 1) == 1; }
  std::string pick(const std::string& what, int of) { return what + std::to_string(draw(1, of)); }
  std::string ns() { return draw(0, 3) == 0 ? "others" : "vms"; }
  Observed now() const { return {kStart + time_, kServerStart + time_}; }

  std::set<std::string> members_of(const freeze::Session& session) const {
    std::set<std::string> members;
    for (const auto& [uid, snapshot] : snapshots_) {
      const bool since = snapshot.created && *snapshot.created >= *session.created;
      if (snapshot.epoch == session.uid && snapshot.namespace_ == session.namespace_ && since) members.insert(uid);
    }
    return members;
  }

  void change_session() {
    const std::string uid = pick("epoch-", 3);
    if (sessions_.contains(uid) && draw(0, 3) == 0) {
      const bool by_us = coin();
      if (by_us) (void)world_.ended(uid, now().at);
      if (!by_us) (void)world_.apply({Kind::kSession, What::kDeleted, sessions_.at(uid)}, now());
      sessions_.erase(uid);
      // The API server never gives a uid away again.
      ended_.insert(uid);
      return;
    }
    if (ended_.contains(uid)) return;
    freeze::Session changed = session(static_cast<Phase>(draw(0, 3)));
    changed.uid = uid;
    changed.namespace_ = sessions_.contains(uid) ? sessions_.at(uid).namespace_ : ns();
    changed.vm = sessions_.contains(uid) ? sessions_.at(uid).vm : pick("vm", 2);
    changed.created = kServerStart;
    changed.resource_version = std::to_string(++version_);
    changed.holds = {harvester_hold(pick("b", 2))};
    if (coin()) changed.holds.push_back(label_hold(draw(0, 2)));
    sessions_[uid] = changed;
    (void)world_.apply({Kind::kSession, What::kApplied, changed}, now());
  }

  SnapshotFacts random_snapshot(const std::string& uid) {
    SnapshotFacts facts = snapshot(pick("disk-", 3));
    facts.uid = uid;
    facts.namespace_ = snapshots_.contains(uid) ? snapshots_.at(uid).namespace_ : ns();
    facts.epoch = coin() ? pick("epoch-", 3) : coin() ? freeze::kEpochOffline : freeze::kEpochNone;
    facts.vm = draw(0, 4) == 0 ? "" : pick("vm", 2);
    facts.hold.reset();
    if (draw(0, 2) > 0) facts.hold = coin() ? harvester_hold(pick("b", 2)) : label_hold(0);
    facts.created = kServerStart + Millis(draw(-5000, 5000));
    if (draw(0, 9) == 0) facts.created.reset();
    facts.captured = coin();
    facts.failed = draw(0, 3) == 0;
    constexpr const char* kVerdicts[] = {"", "", "crash", "filesystem", "offline", "nonsense"};
    const char* const verdict = kVerdicts[draw(0, 5)];
    facts.verdict = said(verdict, coin() ? "<anything>" : "busy");
    return facts;
  }

  void change_snapshot() {
    const std::string uid = pick("uid-", 6);
    if (snapshots_.contains(uid) && draw(0, 3) == 0) {
      SnapshotFacts gone = snapshots_.at(uid);
      gone.deleting = coin();
      (void)world_.apply({Kind::kSnapshot, gone.deleting ? What::kApplied : What::kDeleted, gone}, now());
      snapshots_.erase(uid);
      return;
    }
    snapshots_[uid] = random_snapshot(uid);
    (void)world_.apply({Kind::kSnapshot, What::kApplied, snapshots_.at(uid)}, now());
  }

  void change_backup() {
    BackupFacts facts = backup({"disk-1", "disk-2"}, pick("b", 2));
    if (coin()) facts.snapshot_names.emplace_back("disk-3");
    facts.namespace_ = draw(0, 5) == 0 ? "others" : "vms";
    facts.vm = draw(0, 9) == 0 ? "" : pick("vm", 2);
    facts.complete = coin();
    facts.failed = coin();
    if (coin()) facts.error_time = kServerStart + time_;
    facts.harvester_froze = coin();
    facts.deleting = draw(0, 5) == 0;
    const bool deleted = draw(0, 5) == 0;
    if (deleted || facts.deleting) backups_.erase(facts.uid);
    if (!deleted && !facts.deleting) backups_.insert(facts.uid);
    (void)world_.apply({Kind::kBackup, deleted ? What::kDeleted : What::kApplied, facts}, now());
  }

  void change_guest() {
    if (draw(0, 3) == 0) {
      (void)world_.apply({Kind::kVm, coin() ? What::kApplied : What::kDeleted, VmFacts{ns(), pick("vm", 2), coin()}},
                         now());
      return;
    }
    VmiFacts facts = vmi(pick("vmi-", 2));
    facts.namespace_ = ns();
    facts.name = pick("vm", 2);
    facts.running = draw(0, 3) > 0;
    facts.off = !facts.running && coin();
    facts.reported_frozen = coin();
    facts.agent_gone = draw(0, 3) == 0;
    facts.migrating = draw(0, 3) == 0;
    facts.migration_uid = pick("migration-", 2);
    (void)world_.apply({Kind::kVmi, draw(0, 3) == 0 ? What::kDeleted : What::kApplied, facts}, now());
  }

  void change_capture() {
    const CaptureFacts facts{draw(0, 9) == 0 ? "" : pick("uid-", 6), coin(), coin()};
    (void)world_.apply(
        {coin() ? Kind::kContent : Kind::kLonghornSnapshot, coin() ? What::kApplied : What::kDeleted, facts}, now());
  }

  void judge() {
    const freeze::Verdict verdict{static_cast<freeze::Consistency>(draw(0, 2)), freeze::reason::kBusy};
    if (coin()) (void)world_.judged(pick("uid-", 6), verdict);
    if (coin()) (void)world_.judged_backup(pick("uid-b", 2), verdict);
    if (draw(0, 3) == 0) (void)world_.touch_all();
  }

  // Whatever the list lacks is gone.
  void relist() {
    const bool of_snapshots = coin();
    const Kind kind = of_snapshots ? Kind::kSnapshot : Kind::kSession;
    (void)world_.apply({kind, What::kRelistStarted, {}}, now());
    if (of_snapshots) std::erase_if(snapshots_, [&](const auto&) { return draw(0, 5) == 0; });
    if (!of_snapshots) {
      std::erase_if(sessions_, [&](const auto& item) { return draw(0, 5) == 0 && ended_.insert(item.first).second; });
    }
    if (of_snapshots) {
      for (const auto& [uid, facts] : snapshots_) (void)world_.apply({kind, What::kApplied, facts}, now());
    } else {
      for (const auto& [uid, its] : sessions_) (void)world_.apply({kind, What::kApplied, its}, now());
    }
    (void)world_.apply({kind, What::kRelistDone, {}}, now());
  }

  std::mt19937 random_;
  World world_{ThawOn::kCaptured};
  Millis time_{0};
  int version_ = 100;
  std::map<std::string, freeze::Session> sessions_;
  std::set<std::string> ended_;
  std::map<std::string, SnapshotFacts> snapshots_;
  std::set<std::string> backups_;
};

}  // namespace

TEST_CASE("whatever objects do to their fields, the world stays what its objects say") {
  for (unsigned seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    RandomWorld world(seed);
    for (int i = 0; i < 120; ++i) {
      world.step();
      world.check();
    }
  }
}
