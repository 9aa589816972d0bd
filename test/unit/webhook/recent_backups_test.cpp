// Disks whose backup was read a moment ago.
#include "webhook/recent_backups.h"

#include <functional>
#include <string>
#include <vector>

#include "test/unit/webhook/world.h"

namespace snapfreeze::webhook::recent_backups_test {
namespace {

using test::harvester_review;
using test::World;

const std::string kBackupPath = test::path_of(kube::kHarvesterBackups, "b1");

// One disk of the backup was admitted at this moment.
class Begun : public World {
 public:
  Begun() {
    store("disk-1", admit(harvester_review("disk-1")));
    api.ledger.clear();
  }

  void change(const std::function<void(freeze::Session&)>& how) {
    freeze::Session changed = *session();
    how(changed);
    REQUIRE(sessions.update(changed, Millis(1000)));
    api.ledger.clear();
  }
};

kube::BackupView named(const std::string& uid, const std::string& vm, std::vector<std::string> snapshots) {
  kube::BackupView backup;
  backup.metadata.uid = uid;
  backup.source_name = vm;
  backup.snapshot_names = std::move(snapshots);
  return backup;
}

}  // namespace

TEST_CASE("within a second of another disk, a disk joins by one read: that of the Lease") {
  Begun world;
  const Outcome outcome = world.admit(harvester_review("disk-0"));
  CHECK(outcome.decision == kJoined);
  CHECK(outcome.marks->epoch == "epoch-1");
  CHECK(outcome.marks->backup == "b1");
  CHECK(outcome.marks->vm == "vm1");
  CHECK(world.api.ledger.size() == 1);
  CHECK(world.api.count("GET /apis/coordination") == 1);
}

TEST_CASE("what was read more than a second ago is read again") {
  Begun world;
  const int reads = GENERATE(1, 2);
  world.pass(reads == 1 ? Millis(900) : Millis(1100));
  world.api.ledger.clear();
  CHECK(world.admit(harvester_review("disk-0")).decision == kJoined);
  CHECK(world.api.ledger.size() == static_cast<std::size_t>(reads));
  // Joining by it does not make it younger.
  world.pass(Millis(200));
  world.api.ledger.clear();
  CHECK(world.admit(harvester_review("disk-2")).decision == kJoined);
  CHECK(world.api.count("GET " + kBackupPath) == (reads == 1 ? 1 : 0));
}

TEST_CASE("a name or uid that the backup does not have is looked up afresh, and joins nothing") {
  Begun world;
  SECTION("another name") {
    test::check_crash(world.admit(harvester_review("disk-9")), freeze::reason::kNotAMember);
  }
  SECTION("another uid") {
    test::check_crash(world.admit(harvester_review("disk-0", "b1", "b1-again")), freeze::reason::kUnknownBackup);
  }
  CHECK(world.api.count("GET " + kBackupPath) == 1);
}

TEST_CASE("a session that the disk cannot join is decided by fresh reads") {
  Begun world;
  SECTION("another VM's disk") {
    const auto outcome = world.admit(harvester_review("disk-0", "b1", test::kBackupUid, "of-another"));
    test::check_crash(outcome, freeze::reason::kNotItsDisk);
  }
  SECTION("rests") {
    world.change([](freeze::Session& session) { session.phase = freeze::Phase::kResting; });
    test::check_crash(world.admit(harvester_review("disk-0")), freeze::reason::kCoolDown);
  }
  SECTION("holds another backup only") {
    world.change([](freeze::Session& session) { session.holds[0].uid = "another"; });
    CHECK(world.admit(harvester_review("disk-0")).decision != kJoined);
  }
  CHECK(world.api.count("GET " + kBackupPath) == 1);
}

TEST_CASE("a backup whose freeze has no timer is read each time, so that it can be undone in time") {
  World world;
  world.set_deadline("0s");
  world.store("disk-1", world.admit(harvester_review("disk-1")));
  world.api.ledger.clear();
  CHECK(world.admit(harvester_review("disk-0")).decision == kJoined);
  CHECK(world.api.count("GET " + kBackupPath) == 1);
}

TEST_CASE("an owner that opted out a moment ago is not joined by what was read before") {
  World world;
  Json backup = world.api.objects[kBackupPath];
  Json metadata = backup["metadata"];
  backup.set("metadata", metadata.set("annotations", test::json(R"({"snapfreeze.harvesterhci.io/skip": "true"})")));
  world.api.objects[kBackupPath] = backup;
  test::check_crash(world.admit(harvester_review("disk-0")), freeze::reason::kSkipped);
  test::check_crash(world.admit(harvester_review("disk-1")), freeze::reason::kSkipped);
}

TEST_CASE("recent backups have a ceiling, and the oldest go first") {
  RecentBackups recent;
  const Mono now{std::chrono::hours(1)};
  for (int i = 0; i < 300; ++i) recent.note("ns", named("uid-" + std::to_string(i), "vm", {"disk"}), now);
  CHECK_FALSE(recent.vm_of("ns", "uid-43", "disk", now));
  CHECK(recent.vm_of("ns", "uid-44", "disk", now) == "vm");
  CHECK_FALSE(recent.vm_of("other", "uid-44", "disk", now));
  recent.note("ns", named("many", "vm", std::vector<std::string>(33, "disk")), now);
  CHECK_FALSE(recent.vm_of("ns", "many", "disk", now));
  recent.note("ns", named("bad", "../vm", {"disk"}), now);
  CHECK_FALSE(recent.vm_of("ns", "bad", "disk", now));
  // Nobody checks what a status says.
  recent.note("ns", named("long", "vm", {"disk", std::string(254, 'a')}), now);
  CHECK_FALSE(recent.vm_of("ns", "long", "disk", now));
  recent.note("ns", named("longest", "vm", {"disk", std::string(253, 'a')}), now);
  CHECK(recent.vm_of("ns", "longest", "disk", now) == "vm");
}

TEST_CASE("a backup that is read again replaces what was known of it") {
  RecentBackups recent;
  const Mono now{std::chrono::hours(1)};
  recent.note("ns", named("uid", "vm", {"disk-0"}), now);
  recent.note("ns", named("uid", "vm", {"disk-1"}), now + Millis(10));
  CHECK_FALSE(recent.vm_of("ns", "uid", "disk-0", now + Millis(20)));
  CHECK(recent.vm_of("ns", "uid", "disk-1", now + Millis(20)) == "vm");
}

}  // namespace snapfreeze::webhook::recent_backups_test
