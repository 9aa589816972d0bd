// Snapshots of any creator that sets the label.
#include "freeze/names.h"
#include "kube/paths.h"
#include "test/support/catch.h"
#include "test/unit/webhook/world.h"

namespace snapfreeze::webhook {
namespace {

using freeze::Hold;
using test::label_review;
using test::path_of;
using test::World;
namespace reason = freeze::reason;

constexpr char kOfVm1[] = R"({"snapfreeze.harvesterhci.io/vm": "vm1"})";

TEST_CASE("a labelled snapshot freezes the VM it names, without an unfreeze first") {
  World world;
  const Outcome outcome = world.admit(label_review("s0", "nightly", kOfVm1));
  CHECK(outcome.decision == kFroze);
  CHECK(outcome.marks->backup == "nightly");
  CHECK(outcome.marks->vm == "vm1");
  CHECK(world.api.count("/unfreeze") == 0);
  CHECK(world.api.count("/freeze") == 1);
  CHECK(world.session()->holds == std::vector<Hold>{{Hold::Kind::kLabel, "nightly", "", 0}});
}

TEST_CASE("the count of members is kept with the hold") {
  World world;
  world.admit(label_review("s0", "nightly",
                           R"({"snapfreeze.harvesterhci.io/vm": "vm1", "snapfreeze.harvesterhci.io/members": "3"})"));
  CHECK(world.session()->holds.at(0).members == 3);
}

TEST_CASE("a count that is none is named in a warning, and nothing is frozen") {
  World world;
  const Outcome outcome = world.admit(label_review("s0", "nightly", R"({"snapfreeze.harvesterhci.io/members": "x"})"));
  CHECK(outcome.decision == reason::kInvalidMembers);
  CHECK(freeze::is_crash(outcome.marks->verdict));
  CHECK(outcome.marks->backup == "nightly");
  CHECK(outcome.warnings.at(0).find("metadata.annotations[snapfreeze.harvesterhci.io/members]") != std::string::npos);
  CHECK(world.api.ledger.empty());
}

TEST_CASE("a joining labelled snapshot that names its VM costs one read") {
  World world;
  world.store("s0", world.admit(label_review("s0", "nightly", kOfVm1)), "nightly");
  world.api.ledger.clear();
  CHECK(world.admit(label_review("s1", "nightly", kOfVm1)).decision == kJoined);
  CHECK(world.api.ledger.size() == 1);
}

TEST_CASE("without a name the VM is the one that mounts the claim") {
  World world;
  CHECK(world.admit(label_review("s0", "nightly")).marks->vm == "vm1");
  CHECK(world.session()->vm == "vm1");
}

TEST_CASE("a claim that no running guest mounts has no VM, and one that several mount is covered by no one freeze") {
  World world;
  CHECK(world.admit(label_review("s0", "nightly", "{}", "pvc-9")).decision == reason::kNoVm);
  CHECK(world.admit(label_review("s0", "nightly", "{}", "")).decision == reason::kNoVm);
  Json starting = test::running_vmi("vm2");
  starting.set("status", test::json(GENERATE(as<std::string>{}, R"({"phase": "Running"})", R"({"phase": "Scheduled"})",
                                             R"({"phase": "Unknown"})", "{}")));
  world.api.objects[path_of(kube::kVirtualMachineInstances, "vm2")] = starting;
  CHECK(world.admit(label_review("s0", "nightly")).decision == reason::kSharedDisk);
  CHECK(world.api.count("PUT") == 0);
}

TEST_CASE("a guest that is off uses no disk") {
  World world;
  Json off = test::running_vmi("vm2");
  off.set("status", test::json(GENERATE(as<std::string>{}, R"({"phase": "Succeeded"})", R"({"phase": "Failed"})")));
  world.api.objects[path_of(kube::kVirtualMachineInstances, "vm2")] = off;
  CHECK(world.admit(label_review("s0", "nightly")).decision == kFroze);
}

TEST_CASE("a VM whose name would leave its path is no VM") {
  World world;
  const auto name = GENERATE(as<std::string>{}, "..", "VM1", "a/b", "-a", "a b");
  const std::string annotation = Json::object({{freeze::kVmAnnotation, name}}).dump();
  CHECK(world.admit(label_review("s0", "nightly", annotation)).decision == reason::kNoVm);
  CHECK(world.api.ledger.empty());
}

TEST_CASE("a member without this session's epoch makes the backup late") {
  World world;
  world.store("s9", {}, "nightly");
  CHECK(world.admit(label_review("s0", "nightly", kOfVm1)).decision == reason::kLate);
  CHECK(world.api.count("labelSelector=snapfreeze.harvesterhci.io%2Fbackup%3Dnightly") == 1);
}

TEST_CASE("the same label on a later day is another backup, whatever became of the first") {
  World world;
  const bool judged = GENERATE(true, false);
  Outcome first = world.admit(label_review("s0", "daily", kOfVm1));
  if (!judged) first = {};
  world.store("s0", first, "daily");
  world.api.objects.erase("/apis/coordination.k8s.io/v1/namespaces/snapfreeze/leases/vms.vm1");
  SECTION("in the time of one freeze it is a disk that comes too late") {
    world.pass(std::chrono::seconds(20));
    CHECK(world.admit(label_review("s1", "daily", kOfVm1, "pvc-1")).decision == reason::kLate);
    CHECK(world.admit(label_review("s1", "daily", kOfVm1)).decision == reason::kLate);
  }
  SECTION("later it is frozen for") {
    world.pass(std::chrono::seconds(40));
    CHECK(world.admit(label_review("s1", "daily", kOfVm1)).decision == kFroze);
  }
}

TEST_CASE("the same label on another VM's disk is another backup") {
  World world;
  world.store("s9", {}, "daily", "pvc-of-another-vm");
  CHECK(world.admit(label_review("s0", "daily", kOfVm1)).decision == kFroze);
}

TEST_CASE("an import that carries the label is no disk of the backup") {
  World world;
  world.store("s9", {}, "daily");
  world.api.objects[path_of(kube::kVolumeSnapshots, "s9")].set(
      "spec", test::json(R"({"source": {"volumeSnapshotContentName": "c", "persistentVolumeClaimName": "pvc-0"}})"));
  CHECK(world.admit(label_review("s0", "daily", kOfVm1)).decision == kFroze);
}

TEST_CASE("among hundreds of earlier members the one of the present backup is found, page by page") {
  World world;
  for (int i = 0; i < 250; ++i) world.store("old-" + std::to_string(i), {}, "daily");
  world.pass(std::chrono::hours(24));
  CHECK(world.admit(label_review("s0", "daily", kOfVm1)).decision == kFroze);
  CHECK(world.api.count("volumesnapshots?labelSelector") == 3);
  world.api.objects.erase("/apis/coordination.k8s.io/v1/namespaces/snapfreeze/leases/vms.vm1");
  world.store("z-new", {}, "daily");
  CHECK(world.admit(label_review("s0", "daily", kOfVm1)).decision == reason::kLate);
}

TEST_CASE("a guest that rests is left alone, also for a label that comes again") {
  World world;
  world.put_session([](freeze::Session& session) { session.phase = freeze::Phase::kResting; });
  CHECK(world.admit(label_review("s0", "daily", kOfVm1)).decision == reason::kCoolDown);
}

TEST_CASE("members of other labels are nobody's business") {
  World world;
  world.store("s9", {}, "weekly");
  CHECK(world.admit(label_review("s0", "nightly", kOfVm1)).decision == kFroze);
}

TEST_CASE("a labelled snapshot that exists already begins nothing") {
  World world;
  world.store("s0", {});
  CHECK(world.admit(label_review("s0", "nightly", kOfVm1)).decision == reason::kDuplicate);
  CHECK_FALSE(world.session());
}

TEST_CASE("a generated name is no obstacle") {
  World world;
  CHECK(world.admit(label_review("", "nightly", kOfVm1)).decision == kFroze);
}

void report(World& world, const std::string& status_of_freeze) {
  Json& vmi = world.api.objects[path_of(kube::kVirtualMachineInstances, "vm1")];
  Json status = vmi["status"];
  vmi.set("status", status.set("fsFreezeStatus", status_of_freeze));
}

TEST_CASE("a guest that somebody else froze is left to them") {
  World world;
  report(world, "frozen");
  const Mono start = world.clock.monotonic();
  CHECK(world.admit(label_review("s0", "nightly", kOfVm1)).decision == reason::kFrozenByOther);
  CHECK(world.api.count("PUT") + world.api.count("POST /apis/coordination") == 0);
  CHECK(world.clock.monotonic() - start > Millis(5500));
  CHECK(world.clock.monotonic() - start < Millis(6500));
  CHECK(world.api.count("/virtualmachineinstances/vm1") == 7);
}

TEST_CASE("a guest that was thawed just now is frozen once KubeVirt no longer reports it frozen") {
  World world;
  report(world, "frozen");
  world.clock.after(Millis(GENERATE(500, 4900, 5500)), [&] { report(world, ""); });
  CHECK(world.admit(label_review("s0", "nightly", kOfVm1)).decision == kFroze);
}

TEST_CASE("a report that is of the freeze for another disk of the same backup does not keep a disk from joining") {
  World world;
  report(world, "frozen");
  world.clock.after(Millis(1500), [&] {
    world.put_session([](freeze::Session& session) { session.holds = {{Hold::Kind::kLabel, "nightly", "", 0}}; });
  });
  const Mono start = world.clock.monotonic();
  CHECK(world.admit(label_review("s0", "nightly", kOfVm1)).decision == kJoined);
  CHECK(world.clock.monotonic() - start < Millis(2500));
}

TEST_CASE("a budget too short for a fresh report is not waited out, and a guest reported frozen is left alone") {
  World world;
  report(world, "frozen");
  CHECK(world.admit(label_review("s0", "nightly", kOfVm1), Millis(900)).decision == reason::kFrozenByOther);
  CHECK(world.api.count("/virtualmachineinstances/vm1") == 1);
}

TEST_CASE("who would have to wait for a fresh report without a place to wait is told at once that we are busy") {
  Settings settings;
  settings.max_waits = 0;
  World world(settings);
  report(world, "frozen");
  CHECK(world.admit(label_review("s0", "nightly", kOfVm1)).decision == reason::kBusy);
  CHECK(world.api.count("/virtualmachineinstances/vm1") == 1);
}

}  // namespace
}  // namespace snapfreeze::webhook
