// Whose disk a snapshot is of, on each way on which it may come to an epoch.
#include "freeze/names.h"
#include "kube/paths.h"
#include "test/support/catch.h"
#include "test/unit/webhook/world.h"

namespace snapfreeze::webhook {
namespace {

using freeze::Session;
using test::harvester_review;
using test::json;
using test::label_review;
using test::path_of;
using test::World;
namespace reason = freeze::reason;

constexpr char kOfVm1[] = R"({"snapfreeze.harvesterhci.io/vm": "vm1"})";

void set_phase(World& world, const std::string& phase) {
  Json& vmi = world.api.objects[path_of(kube::kVirtualMachineInstances, "vm1")];
  vmi.set("status", Json::object({{"phase", phase}}));
}

void check_not_its_disk(World& world, const Review& review) {
  const Outcome outcome = world.admit(review);
  CHECK(outcome.decision == reason::kNotItsDisk);
  REQUIRE(outcome.marks);
  CHECK(outcome.marks->epoch == freeze::kEpochNone);
  CHECK(freeze::is_crash(outcome.marks->verdict));
  CHECK(world.api.count("PUT") == 0);
}

TEST_CASE("a snapshot of another VM's disk, or of none, begins nothing") {
  const auto pvc = GENERATE(as<std::string>{}, "another-vms-disk", "");
  World world;
  check_not_its_disk(world, label_review("s0", "nightly", kOfVm1, pvc));
  check_not_its_disk(world, harvester_review("disk-0", "b1", test::kBackupUid, pvc));
  CHECK_FALSE(world.session());
}

TEST_CASE("a snapshot of another VM's disk, or of none, joins nothing, and costs no more than one that does") {
  const auto pvc = GENERATE(as<std::string>{}, "another-vms-disk", "");
  World world;
  world.put_session([](Session& session) { session.holds.push_back({freeze::Hold::Kind::kLabel, "nightly", "", 0}); });
  check_not_its_disk(world, harvester_review("disk-0", "b1", test::kBackupUid, pvc));
  CHECK(world.api.ledger.size() == 2);
  check_not_its_disk(world, label_review("s0", "nightly", kOfVm1, pvc));
  CHECK(world.api.ledger.size() == 3);
}

TEST_CASE("a backup that was edited to name another VM gets nothing from that VM's session") {
  World world;
  world.put_session([](Session& session) { session.vm = "vm2"; });
  world.api.objects[path_of(kube::kHarvesterBackups, "b1")] =
      test::backup("b1", test::kBackupUid, "vm2", {"disk-0", "disk-1"});
  check_not_its_disk(world, harvester_review("disk-0", "b1", test::kBackupUid, "vm1s-disk"));
}

TEST_CASE("the session records the disks of its guest, hot-plugged ones too, and no shared folder") {
  World world;
  Json& vmi = world.api.objects[path_of(kube::kVirtualMachineInstances, "vm1")];
  vmi.set("spec", json(R"({"domain": {"devices": {"filesystems": [{"name": "share"}]}},
      "volumes": [{"name": "a", "persistentVolumeClaim": {"claimName": "pvc-0"}},
                  {"name": "b", "persistentVolumeClaim": {"claimName": "plugged", "hotpluggable": true}},
                  {"name": "share", "persistentVolumeClaim": {"claimName": "pvc-shared"}}]})"));
  Json status = vmi["status"];
  status.set("volumeStatus", json(R"([{"name": "b", "phase": "Ready"}])"));
  vmi.set("status", std::move(status));
  check_not_its_disk(world, label_review("s0", "nightly", kOfVm1, "pvc-shared"));
  CHECK(world.admit(label_review("s0", "nightly", kOfVm1, "plugged")).decision == kFroze);
  CHECK(world.session()->claims == std::vector<std::string>{"pvc-0", "plugged"});
}

TEST_CASE("a guest that was shut down from inside is offline, if the disk is its own") {
  World world;
  set_phase(world, GENERATE("Succeeded", "Failed"));
  CHECK(world.admit(harvester_review("disk-0")).decision == kNoGuest);
  CHECK(world.admit(label_review("s0", "nightly", kOfVm1, "pvc-1")).decision == kNoGuest);
  check_not_its_disk(world, label_review("s0", "nightly", kOfVm1, "another-vms-disk"));
}

TEST_CASE("a VM without an instance is offline, if the disk is its own") {
  World world;
  world.api.objects.erase(path_of(kube::kVirtualMachineInstances, "vm1"));
  CHECK(world.admit(label_review("s0", "nightly", kOfVm1, "pvc-1")).decision == kNoGuest);
  check_not_its_disk(world, harvester_review("disk-0", "b1", test::kBackupUid, "another-vms-disk"));
}

TEST_CASE("a disk that was plugged in after another backup's session began waits for a freeze of its own") {
  World world;
  world.put_session([](Session& session) {
    session.holds[0].uid = "another";
    session.claims = {"pvc-1"};
  });
  world.clock.after(Millis(300), [&] {
    world.api.objects.erase("/apis/coordination.k8s.io/v1/namespaces/snapfreeze/leases/vms.vm1");
  });
  CHECK(world.admit(harvester_review("disk-0")).decision == kFroze);
  CHECK(world.session()->has_disk("pvc-0"));
}

TEST_CASE("a backup of KubeVirt's own that is under way is left alone") {
  World world;
  Json& vmi = world.api.objects[path_of(kube::kVirtualMachineInstances, "vm1")];
  Json status = vmi["status"];
  vmi.set("status", status.set("changedBlockTracking", json(R"({"backupStatus": {"backupName": "full"}})")));
  CHECK(world.admit(harvester_review("disk-0")).decision == reason::kSnapshotInProgress);
  CHECK(world.api.count("PUT") == 0);
}

}  // namespace
}  // namespace snapfreeze::webhook
