// KubeVirt's own snapshots and backups.
#include "test/cluster/test_world.h"
#include "test/support/catch.h"

using namespace cluster;
using namespace std::chrono_literals;

TEST_CASE("a VirtualMachineSnapshot freezes, shows itself on the VM, and thaws whosever freeze it was") {
  World world;
  world.freeze("60s");
  world.cluster.guests().vm_snapshot("vms", "vm1", "s1", Millis(3000));
  const auto vm = [&] { return world.cluster.get("kubevirt.io/virtualmachines", "vms", "vm1"); };
  world.runtime.sleep_for(1s);
  CHECK(vm()["status"]["snapshotInProgress"] == "s1");
  CHECK(world.frozen());
  world.runtime.sleep_for(3s);
  CHECK_FALSE(world.frozen());
  CHECK_FALSE(vm()["status"].contains("snapshotInProgress"));
}

TEST_CASE("a backup of backup.kubevirt.io made through the API does the same") {
  World world;
  world.cluster.call("tenant", "POST", "/apis/backup.kubevirt.io/v1alpha1/namespaces/vms/virtualmachinebackups",
                     {{"apiVersion", "backup.kubevirt.io/v1alpha1"},
                      {"kind", "VirtualMachineBackup"},
                      {"metadata", {{"name", "k1"}}},
                      {"spec", {{"source", {{"kind", "VirtualMachine"}, {"name", "vm1"}}}}}});
  world.runtime.sleep_for(1s);
  CHECK(world.frozen());
  world.runtime.sleep_for(2s);
  CHECK_FALSE(world.frozen());
}
