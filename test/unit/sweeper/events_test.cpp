// What the owner of a VM sees of its backups: Events, and labels.
#include "sweeper/write_event.h"
#include "test/unit/sweeper/conclude_rig.h"

namespace events_test {

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace snapfreeze::sweeper;
using End = ConcludeDone::End;
namespace reason = freeze::reason;

// Harvester's UI shows labels on a backup's page, and on a VM's page the Events of its name that began after it did.
TEST_CASE("the owner of a VM sees its crash on the pages of the VM and of the backup") {
  ConcludeRig rig;
  rig.job.session.doubt(reason::kAgentLost);
  rig.conclude();
  const auto vm = rig.cluster.get("kubevirt.io/virtualmachines", "vms", "vm1");
  const auto event = rig.last_vm_event();
  REQUIRE_FALSE(event.empty());
  CHECK(event["apiVersion"] == "v1");
  CHECK(event["involvedObject"]["kind"] == "VirtualMachine");
  CHECK(event["involvedObject"]["name"] == "vm1");
  CHECK(event["involvedObject"]["uid"] == vm["metadata"]["uid"]);
  CHECK(event["firstTimestamp"].get<std::string>() >= vm["metadata"]["creationTimestamp"].get<std::string>());
  CHECK(event["lastTimestamp"] == event["firstTimestamp"]);
  CHECK(event["count"] == 1);
  CHECK(event["type"] == "Warning");
  CHECK(event["message"].get<std::string>().starts_with("backup b1: crash-consistent only: agent-lost: "));
  const cluster::Json wanted = {{freeze::kConsistency, "crash"}, {freeze::kReason, "agent-lost"}};
  const auto backup = rig.cluster.get("harvesterhci.io/virtualmachinebackups", "vms", "b1");
  CHECK(backup["metadata"]["labels"] == wanted);
  const auto snapshot = rig.cluster.get("snapshot.storage.k8s.io/volumesnapshots", "vms", "b1-volume-vm1-disk-0");
  CHECK(snapshot["metadata"]["labels"][freeze::kConsistency] == "crash");
  CHECK(snapshot["metadata"]["labels"][freeze::kReason] == "agent-lost");
}

TEST_CASE("of a good backup nothing is said on the VM's page, and no reason is left as a label") {
  ConcludeRig rig;
  rig.cluster.call("admin", "PATCH", "/apis/harvesterhci.io/v1beta1/namespaces/vms/virtualmachinebackups/b1",
                   {{"metadata", {{"labels", {{freeze::kReason, "planted"}}}}}}, "application/merge-patch+json");
  rig.conclude();
  CHECK(rig.last_vm_event().empty());
  const cluster::Json wanted = {{freeze::kConsistency, "filesystem"}};
  const auto backup = rig.cluster.get("harvesterhci.io/virtualmachinebackups", "vms", "b1");
  CHECK(backup["metadata"]["labels"] == wanted);
}

TEST_CASE("a VM that cannot be read is spoken of without its uid, one that is gone not at all") {
  ConcludeRig rig;
  rig.job.session.doubt(reason::kAgentLost);
  SECTION("refused") {
    rig.fail("get", "/virtualmachines/vm1", 403);
    CHECK(rig.conclude().end == End::kResting);
    CHECK(rig.last_vm_event()["involvedObject"]["name"] == "vm1");
    CHECK_FALSE(rig.last_vm_event()["involvedObject"].contains("uid"));
  }
  SECTION("gone") {
    rig.fail("get", "/virtualmachines/vm1", 404);
    CHECK(rig.conclude().end == End::kResting);
    CHECK(rig.last_vm_event().empty());
  }
}

TEST_CASE("an Event's words are cut to what the API server takes, between two characters") {
  ConcludeRig rig;
  std::string note(1020, 'x');
  note += "\u00e4\u00e4\u00e4";
  const auto written = sweeper::write_vm_event(rig.seams, "me", "vms", "vm1", {"long", {true, "Long", note}});
  CHECK(written == sweeper::Written::kYes);
  CHECK(rig.last_vm_event()["message"] == std::string(1020, 'x') + "...");
  CHECK(sweeper::write_vm_event(rig.seams, "me", "vms", "..", {"up", {true, "Up", ""}}) == sweeper::Written::kGone);
}

}  // namespace events_test
