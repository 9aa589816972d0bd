// Snapshots of any creator that sets the label.
#include "freeze/names.h"
#include "kube/paths.h"
#include "test/support/catch.h"
#include "test/webhook/world.h"

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
  CHECK(outcome.marks->consistency == "crash");
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

TEST_CASE("a claim that no running guest, or more than one, mounts has no VM") {
  World world;
  CHECK(world.admit(label_review("s0", "nightly", "{}", "pvc-9")).decision == reason::kNoVm);
  CHECK(world.admit(label_review("s0", "nightly", "{}", "")).decision == reason::kNoVm);
  world.api.objects[path_of(kube::kVirtualMachineInstances, "vm2")] = test::running_vmi("vm2");
  CHECK(world.admit(label_review("s0", "nightly")).decision == reason::kNoVm);
  CHECK(world.api.count("PUT") == 0);
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

TEST_CASE("a guest that somebody else froze is left to them") {
  World world;
  Json& vmi = world.api.objects[path_of(kube::kVirtualMachineInstances, "vm1")];
  Json status = vmi["status"];
  vmi.set("status", status.set("fsFreezeStatus", "frozen"));
  CHECK(world.admit(label_review("s0", "nightly", kOfVm1)).decision == reason::kFrozenByOther);
  CHECK(world.api.count("PUT") + world.api.count("POST") == 0);
}

}  // namespace
}  // namespace snapfreeze::webhook
