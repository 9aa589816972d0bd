#include "freeze/guest.h"

#include "freeze/names.h"
#include "test/support/catch.h"
#include "test/unit/freeze/views.h"

using namespace snapfreeze;
namespace reason = freeze::reason;

namespace {

// A guest that can be frozen.
kube::VmiView running() {
  return kube::VmiView::from(test::json(
      "{'metadata':{'name':'db','uid':'u'},'status':{'phase':'Running','conditions':[{'type':'AgentConnected',"
      "'status':'True'}]}}"));
}

const kube::StringMap kSkip{{freeze::kSkipAnnotation, "true"}};

}  // namespace

TEST_CASE("a running guest with an agent can be frozen, with or without a VirtualMachine") {
  CHECK_FALSE(freeze::reason_not_to_freeze(running(), std::nullopt));
  CHECK_FALSE(freeze::reason_not_to_freeze(running(), kube::VmView{}));
}

TEST_CASE("each state in which a guest cannot be frozen has its reason") {
  kube::VmiView vmi = running();
  SECTION("not running") {
    vmi.phase = GENERATE("Scheduled", "Succeeded", "Failed", "");
    CHECK(freeze::reason_not_to_freeze(vmi, std::nullopt) == reason::kNotRunning);
  }
  SECTION("no agent") {
    vmi.agent_connected = false;
    CHECK(freeze::reason_not_to_freeze(vmi, std::nullopt) == reason::kNoAgent);
  }
  SECTION("paused") {
    vmi.paused = true;
    CHECK(freeze::reason_not_to_freeze(vmi, std::nullopt) == reason::kPaused);
  }
  SECTION("migrating") {
    vmi.migration = kube::MigrationState{};
    CHECK(freeze::reason_not_to_freeze(vmi, std::nullopt) == reason::kMigrating);
  }
  SECTION("being deleted") {
    vmi.metadata.deleting = true;
    CHECK(freeze::reason_not_to_freeze(vmi, std::nullopt) == reason::kBeingDeleted);
  }
  SECTION("KubeVirt takes a snapshot of its own") {
    kube::VmView vm;
    vm.snapshot_in_progress = "s";
    CHECK(freeze::reason_not_to_freeze(vmi, vm) == reason::kSnapshotInProgress);
  }
}

TEST_CASE("a migration that has ended is no reason") {
  kube::VmiView vmi = running();
  vmi.migration = kube::MigrationState{};
  vmi.migration->completed = true;
  CHECK_FALSE(freeze::reason_not_to_freeze(vmi, std::nullopt));
}

TEST_CASE("a status that says frozen is a hint, not a reason") {
  kube::VmiView vmi = running();
  vmi.fs_freeze_status = "frozen";
  CHECK_FALSE(freeze::reason_not_to_freeze(vmi, std::nullopt));
}

TEST_CASE("the owner of a VM can opt out, on the VM or on its instance") {
  kube::VmiView vmi = running();
  kube::VmView vm;
  SECTION("on the instance") {
    vmi.metadata.annotations = kSkip;
  }
  SECTION("on the VM") {
    vm.metadata.annotations = kSkip;
  }
  CHECK(freeze::reason_not_to_freeze(vmi, vm) == reason::kSkipped);
}

TEST_CASE("only the value true opts out") {
  kube::Metadata metadata;
  CHECK_FALSE(freeze::opted_out(metadata));
  metadata.annotations = {{freeze::kSkipAnnotation, "false"}};
  CHECK_FALSE(freeze::opted_out(metadata));
  metadata.annotations = kSkip;
  CHECK(freeze::opted_out(metadata));
}
