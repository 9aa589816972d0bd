// What is looked at afresh before a verdict, and what it leaves of it.
#include "base/time.h"
#include "test/unit/sweeper/conclude_rig.h"

namespace conclude_doubts_test {

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;
using namespace snapfreeze::sweeper;
using End = ConcludeDone::End;
namespace reason = freeze::reason;

TEST_CASE("a snapshot of KubeVirt's own, found afresh, is a doubt") {
  ConcludeRig rig;
  rig.cluster.guests().vm_snapshot("vms", "vm1", "s1", 60s);
  rig.conclude();
  CHECK(rig.of_backup("reason") == "kubevirt-snapshot");
}

TEST_CASE("another backup whose freeze may have slipped in leaves only its own deadline") {
  ConcludeRig rig;
  cluster::DiskOptions never;
  never.never = true;
  rig.cluster.storage().set_default(never);
  rig.make_backup("b2");
  rig.job.session.frozen_by = rig.runtime.wall();
  rig.conclude();
  CHECK(rig.of_backup("reason") == "other-backup");
}

TEST_CASE("while nobody can look for other freezers there is no verdict; in the end it is crash") {
  ConcludeRig rig;
  rig.fail("list", "virtualmachinesnapshots", 500);
  ConcludeDone done = rig.conclude();
  CHECK(done.end == End::kFailed);
  CHECK(done.look_failed);
  CHECK(rig.of_backup("consistency").empty());
  rig.job.failed_looks = kMaxLooks - 1;
  done = rig.conclude();
  CHECK(done.end == End::kEnded);
  CHECK(rig.of_backup("reason") == "unverified");
}

TEST_CASE("kinds that the cluster does not serve are none") {
  ConcludeRig rig;
  rig.cluster.locked([&] {
    rig.cluster.store().resources().serve("snapshot.kubevirt.io", "virtualmachinesnapshots", false);
    rig.cluster.store().resources().serve("backup.kubevirt.io", "virtualmachinebackups", false);
  });
  rig.conclude();
  CHECK(rig.of_backup("consistency") == "filesystem");
}

TEST_CASE("a backup that was seen during the session and is gone counts") {
  ConcludeRig rig;
  freeze::Freezer other = freeze::Freezer{};
  other.name = "b2";
  other.uid = "uid-b2";
  other.vm = "vm1";
  other.created = rig.job.session.created;
  rig.job.seen_backups = {other};
  rig.conclude();
  CHECK(rig.of_backup("reason") == "other-backup");
  CHECK(rig.last_event()["message"].get<std::string>().find("(VirtualMachineBackup b2)") != std::string::npos);
}

TEST_CASE("a backup counts by what it said while it was watched, whatever it says now") {
  ConcludeRig rig;
  rig.make_backup("b0");
  const std::string path = "/apis/harvesterhci.io/v1beta1/namespaces/vms/virtualmachinebackups/b0";
  const auto patch = [&](const cluster::Json& change) {
    rig.cluster.call("tenant", "PATCH", path, change, "application/merge-patch+json");
  };
  const auto now = [&] {
    return freeze::harvester_backup(
        *Json::parse(rig.cluster.get("harvesterhci.io/virtualmachinebackups", "vms", "b0").dump()));
  };
  patch({{"status", {{"readyToUse", false}}}});
  freeze::Freezer seen = now();
  std::string reason = "other-backup";
  const cluster::Json nothing_frozen = {
      {"metadata", {{"annotations", {{"harvesterhci.io/snapshotFreezeFS", "false"}}}}},
      {"status", {{"volumeBackups", nullptr}}}};
  SECTION("the same as now") {}
  SECTION("the same as now: nothing was frozen for it") {
    patch(nothing_frozen);
    seen = now();
    reason = "";
  }
  SECTION("that it had snapshots to make, and Harvester froze for it") {
    patch(nothing_frozen);
  }
  SECTION("another VM than now") {
    patch({{"spec", {{"source", {{"name", "vm2"}}}}}});
  }
  SECTION("a longer deadline than now, in which it had frozen before the labelled snapshots came") {
    rig.runtime.sleep_for(20s);
    rig.job.session.created = rig.runtime.wall() - 2s;
    rig.job.session.frozen_by = rig.runtime.wall();
    rig.job.session.holds[0] = {freeze::Hold::Kind::kLabel, "nightly", "", 0};
    rig.job.holds[0].hold = rig.job.session.holds[0];
    seen.deadline = 30s;
    rig.job.seen_backups = {seen};
    rig.conclude();
    CHECK(rig.of_snapshot(0, "reason") == reason);
    return;
  }
  SECTION("that it was created after the guest had been frozen") {
    seen.created_later = true;
    reason = "";
  }
  rig.job.seen_backups = {seen};
  rig.conclude();
  CHECK(rig.of_backup("reason") == reason);
}

TEST_CASE("a backup that only uploads, or was left behind in error, does not count; one that tries again does") {
  ConcludeRig rig;
  rig.make_backup("b0");
  rig.runtime.sleep_for(60s);
  rig.job.session.created = rig.runtime.wall() - 2s;  // as if it had begun only now
  rig.job.session.frozen_by = rig.runtime.wall();
  const auto patch = [&](const cluster::Json& status) {
    rig.cluster.call("harvester", "PATCH", "/apis/harvesterhci.io/v1beta1/namespaces/vms/virtualmachinebackups/b0",
                     {{"status", status}}, "application/merge-patch+json");
  };
  const std::string long_ago = "2020-01-01T00:00:00Z";
  const std::string now = format_micro_time(rig.runtime.wall());
  const cluster::Json missing = {{{"name", "never-made"}}};
  std::string reason;
  SECTION("it uploads, with an error of its upload") {
    patch({{"readyToUse", false}, {"error", {{"time", now}}}});
  }
  SECTION("it was left behind") {
    patch({{"readyToUse", false}, {"error", {{"time", long_ago}}}, {"volumeBackups", missing}});
  }
  SECTION("it tries again") {
    patch({{"readyToUse", false}, {"error", {{"time", now}}}, {"volumeBackups", missing}});
    reason = "other-backup";
  }
  SECTION("it has just made a snapshot") {
    rig.cluster.create_snapshot("harvester", "vms", "made-now", "vm1-disk-0");
    patch({{"readyToUse", false}, {"volumeBackups", {{{"name", "made-now"}}}}});
    reason = "other-backup";
  }
  SECTION("nobody can tell") {
    patch({{"readyToUse", false}});
    rig.fail("get", "volumesnapshots", 500);
    CHECK(rig.conclude().look_failed);
    return;
  }
  rig.conclude();
  CHECK(rig.of_backup("reason") == reason);
  CHECK(rig.of_backup("consistency") == (reason.empty() ? "filesystem" : "crash"));
}

TEST_CASE("what Longhorn alone had told of is on record before it is judged") {
  ConcludeRig rig;
  rig.job.confirmed_after = {std::chrono::seconds(5), std::chrono::seconds(6)};
  const auto captured = std::exchange(rig.job.session.captured, {});
  rig.job.session = *rig.machine.sessions.update(rig.job.session);
  rig.job.session.captured = captured;
  SECTION("all goes well") {
    CHECK(rig.conclude().end == End::kEnded);
    CHECK(rig.of_backup("consistency") == "filesystem");
    CHECK_FALSE(rig.on_record());
  }
  SECTION("no verdict can be written") {
    rig.fail("patch", "/apis/snapshot.storage.k8s.io", 500);
    const ConcludeDone done = rig.conclude();
    CHECK(done.end == End::kFailed);
    CHECK(rig.on_record()->captured == captured);
    CHECK(done.session.resource_version == rig.on_record()->resource_version);
  }
  SECTION("the record cannot be written") {
    rig.fail("patch", "/apis/coordination.k8s.io", 500);
    CHECK(rig.conclude().end == End::kFailed);
    CHECK(rig.of_snapshot(0, "consistency").empty());
  }
  SECTION("somebody else has written it") {
    freeze::Session other = *rig.on_record();
    other.doubt(reason::kThawedByHand);
    REQUIRE(rig.machine.sessions.update(other).ok());
    CHECK(rig.conclude().end == End::kReplan);
    CHECK(rig.of_snapshot(0, "consistency").empty());
  }
}

TEST_CASE("a disk of whose live cut no object ever told is crash: not-confirmed, and so is its backup") {
  ConcludeRig rig;
  rig.job.session.captured.erase(rig.job.members[1].uid);
  rig.job.members[1].not_confirmed = true;
  SECTION("no object says that it was captured") {
    rig.job.members[1].captured.reset();
  }
  SECTION("one tells of another cut") {}
  rig.conclude();
  CHECK(rig.of_snapshot(0, "consistency") == "filesystem");
  CHECK(rig.of_snapshot(1, "reason") == "not-confirmed");
  CHECK(rig.of_backup("consistency") == "crash");
  CHECK(rig.of_backup("reason") == "not-confirmed");
}

}  // namespace conclude_doubts_test
