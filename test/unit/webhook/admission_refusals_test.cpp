// Admissions that freeze nothing: not ours, not allowed, not wanted, or not possible.
#include "freeze/names.h"
#include "kube/paths.h"
#include "test/support/catch.h"
#include "test/unit/webhook/world.h"
#include "webhook/admission.h"

namespace snapfreeze::webhook::admission_refusals_test {
namespace {

using freeze::Session;
using test::check_crash;
using test::harvester_review;
using test::json;
using test::path_of;
using test::World;
namespace reason = freeze::reason;

Settings observing() {
  Settings settings;
  settings.observe = true;
  return settings;
}

TEST_CASE("what is not ours passes through untouched, without a call") {
  const auto metadata = GENERATE(
      as<std::string>{}, R"("metadata": {"name": "s"}, "spec": {"source": {"persistentVolumeClaimName": "p"}})",
      R"("metadata": {"name": "s", "labels": {"snapfreeze.harvesterhci.io/backup": "n",
         "snapfreeze.harvesterhci.io/epoch": "e"}}, "spec": {"source": {"volumeSnapshotContentName": "c"}})",
      R"("metadata": {"name": "s", "ownerReferences": [{"apiVersion": "backup.kubevirt.io/v1alpha1", "uid": "u",
         "kind": "VirtualMachineBackup", "name": "b1", "controller": true}]})",
      R"("metadata": {"name": "s", "ownerReferences": [{"apiVersion": "harvesterhci.io/v1beta1", "uid": "b1-uid",
         "kind": "VirtualMachineBackup", "name": "b1"}]})");
  World world;
  Review review = harvester_review("s");
  review.snapshot = kube::SnapshotView::from(json("{" + metadata + "}"));
  const Outcome outcome = world.admit(review);
  CHECK(outcome.decision == kUntouched);
  CHECK_FALSE(outcome.marks);
  CHECK(outcome.warnings.empty());
  CHECK(world.api.ledger.empty());
}

TEST_CASE("what a wrong registration sends passes through untouched, with a warning") {
  World world;
  Review review = harvester_review("s");
  review.off_topic = "CREATE of Pod";
  const Outcome outcome = world.admit(review);
  CHECK_FALSE(outcome.marks);
  CHECK(outcome.warnings == std::vector<std::string>{"snapfreeze: CREATE of Pod"});
}

TEST_CASE("a dry run gets a fixed patch and costs no call") {
  World world;
  Review review = harvester_review("disk-0");
  review.dry_run = true;
  check_crash(world.admit(review), reason::kDryRun);
  CHECK(world.api.ledger.empty());
}

TEST_CASE("a copied owner reference begins nothing") {
  World world;
  check_crash(world.admit(harvester_review("disk-0", "b1", "another-uid")), reason::kUnknownBackup);
  check_crash(world.admit(harvester_review("disk-0", "b9")), reason::kUnknownBackup);
  check_crash(world.admit(harvester_review("disk-9")), reason::kNotAMember);
  check_crash(world.admit(harvester_review("")), reason::kNotAMember);
  CHECK(world.api.count("PUT") + world.api.count("POST") == 0);
}

TEST_CASE("names that would leave their path are never asked for") {
  World world;
  check_crash(world.admit(harvester_review("disk-0", "..")), reason::kUnknownBackup);
  CHECK(world.api.ledger.empty());
  world.api.objects[path_of(kube::kHarvesterBackups, "b1")] = test::backup("b1", test::kBackupUid, "..", {"disk-0"});
  check_crash(world.admit(harvester_review("disk-0")), reason::kNoVm);
  CHECK(world.api.ledger.size() == 1);
}

TEST_CASE("opt-outs of the backup and of the VM are heeded, and not even a freeze without a timer is undone") {
  World world;
  world.set_deadline("0s");
  const auto resource = GENERATE(kube::kHarvesterBackups, kube::kVirtualMachines, kube::kVirtualMachineInstances);
  const std::string name = resource.group == kube::kHarvesterBackups.group ? "b1" : "vm1";
  Json& object = world.api.objects[path_of(resource, name)];
  Json metadata = object["metadata"];
  Json annotations = metadata["annotations"];
  object.set("metadata", metadata.set("annotations", annotations.set(freeze::kSkipAnnotation, "true")));
  check_crash(world.admit(harvester_review("disk-0")), reason::kSkipped);
  CHECK(world.api.count("PUT") + world.api.count("POST") == 0);
}

TEST_CASE("--mode=observe decides and says so, but writes nothing and touches no guest") {
  World world(observing());
  check_crash(world.admit(harvester_review("disk-0")), reason::kObserve);
  world.store("disk-1", {});
  check_crash(world.admit(harvester_review("disk-0")), reason::kObserve);
  world.store("disk-0", {});
  check_crash(world.admit(harvester_review("disk-0")), reason::kDuplicate);
  world.set_deadline("0s");
  check_crash(world.admit(harvester_review("disk-0")), reason::kDuplicate);
  CHECK(world.api.count("/leases") == world.api.count("GET /apis/coordination"));
  CHECK(world.api.count("PUT") == 0);
}

TEST_CASE("the user who asks must be allowed to freeze the guest") {
  World world;
  world.api.may_freeze = false;
  check_crash(world.admit(harvester_review("disk-0")), reason::kNotPermitted);
  CHECK_FALSE(world.session());
  CHECK(world.api.count("PUT") == 0);
  CHECK(world.api.access_review["spec"].dump() ==
        R"({"resourceAttributes":{"group":"subresources.kubevirt.io","version":"v1",)"
        R"("resource":"virtualmachineinstances","subresource":"freeze","verb":"update","namespace":"vms",)"
        R"("name":"vm1"},"user":"alice","uid":"alice-uid","groups":["staff"],"extra":{"scopes":["a"]}})");
}

TEST_CASE("who may not freeze gets no hold on another's session and no undo either") {
  World world;
  world.api.may_freeze = false;
  world.put_session([](Session& session) { session.holds[0].uid = "another"; });
  check_crash(world.admit(harvester_review("disk-0")), reason::kNotPermitted);
  CHECK(world.session()->holds.size() == 1);
  world.api.objects.erase(world.api.objects.find("/apis/coordination.k8s.io/v1/namespaces/snapfreeze/leases/vms.vm1"));
  world.store("disk-0", {});
  check_crash(world.admit(harvester_review("disk-0")), reason::kNotPermitted);
  CHECK_FALSE(world.session());
}

TEST_CASE("names of 253 characters take the same way") {
  World world;
  const std::string backup(253, 'b');
  const std::string vm(253, 'v');
  const std::string disk(253, 'd');
  world.api.objects[path_of(kube::kHarvesterBackups, backup)] = test::backup(backup, "long", vm, {disk});
  world.api.objects[path_of(kube::kVirtualMachineInstances, vm)] = test::running_vmi(vm);
  const Outcome outcome = world.admit(harvester_review(disk, backup, "long"));
  CHECK(outcome.decision == kFroze);
  CHECK(outcome.marks->backup == backup);
  CHECK(world.session()->vm == vm);
  CHECK(world.session()->lease.size() == 253);
}

}  // namespace
}  // namespace snapfreeze::webhook::admission_refusals_test
