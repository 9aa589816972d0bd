// KubeVirt's own snapshots and backups.
#include "test/support/catch.h"
#include "test/unit/double/test_world.h"

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

namespace {

std::string condition(const Json& object, const std::string& type) {
  for (const Json& each : object["status"]["conditions"]) {
    if (each["type"] == type) return each["status"];
  }
  return "";
}

Json kubevirt_backup(World& world) {
  return world.cluster.get("backup.kubevirt.io/virtualmachinebackups", "vms", "k1");
}

}  // namespace

TEST_CASE("KubeVirt's backup is over when Done, from 1.9 on Complete or Failed") {
  World world;
  const bool old = GENERATE(true, false);
  const bool fails = GENERATE(true, false);
  const bool tracker = GENERATE(true, false);
  world.cluster.guests().set_version(1, old ? 8 : 9);
  world.cluster.guests().kubevirt_backup("vms", "vm1", {"k1", Millis(5000), tracker, fails});
  world.runtime.sleep_for(2s);
  CHECK(world.frozen());
  CHECK(condition(kubevirt_backup(world), "Progressing") == "True");
  CHECK(kubevirt_backup(world)["status"]["conditions"].size() == 1);
  CHECK(kubevirt_backup(world)["spec"]["source"]["kind"] ==
        (tracker ? "VirtualMachineBackupTracker" : "VirtualMachine"));
  world.runtime.sleep_for(10s);
  CHECK_FALSE(world.frozen());
  const Json over = kubevirt_backup(world);
  CHECK(condition(over, "Progressing") == "False");
  CHECK(condition(over, "Done") == (old ? "True" : ""));
  CHECK(condition(over, "Complete") == (!old && !fails ? "True" : ""));
  CHECK(condition(over, "Failed") == (!old && fails ? "True" : ""));
  CHECK(world.cluster.get("kubevirt.io/virtualmachines", "vms", "vm1")["status"].contains("snapshotInProgress") ==
        false);
}
