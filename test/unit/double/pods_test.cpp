// The pods that hold a guest's disks, and guests that ended by themselves.
#include "test/support/catch.h"
#include "test/unit/double/test_world.h"

using namespace cluster;
using namespace std::chrono_literals;

namespace {

VmOptions with_hot_plugged() {
  VmOptions vm;
  vm.hot_plugged = 1;
  return vm;
}

std::vector<Json> pods(World& world, const std::string& kubevirt) {
  std::vector<Json> found;
  world.cluster.locked([&] {
    for (const ObjectRef& pod : world.cluster.store().all(world.cluster.store().resources().at("", "pods"))) {
      const Json labels = pod->json["metadata"].value("labels", Json::object());
      if (labels.value("kubevirt.io", "") == kubevirt) found.push_back(pod->json);
    }
  });
  return found;
}

// "claim by", in the order in which they happened.
std::vector<std::string> holders(World& world, const std::string& kind) {
  std::vector<std::string> found;
  world.cluster.locked([&] {
    for (const TimelineEntry& entry : world.cluster.truth().timeline()) {
      if (entry.kind == kind) found.push_back(entry.object + " " + entry.detail);
    }
  });
  return found;
}

Reply make_pod(World& world, const std::string& claim, const std::string& ns = "vms") {
  const Json volume = {{"name", "data"}, {"persistentVolumeClaim", {{"claimName", claim}}}};
  return world.cluster.call("tenant", "POST", "/api/v1/namespaces/" + ns + "/pods",
                            {{"apiVersion", "v1"},
                             {"kind", "Pod"},
                             {"metadata", {{"name", "copier"}}},
                             {"spec", {{"volumes", Json::array({volume})}}}});
}

}  // namespace

TEST_CASE("a running VMI has a launcher that it owns, with the disks it booted with") {
  World world(with_hot_plugged());
  const auto launchers = pods(world, "virt-launcher");
  REQUIRE(launchers.size() == 1);
  const Json& metadata = launchers[0]["metadata"];
  CHECK(metadata["name"].get<std::string>().rfind("virt-launcher-vm1-", 0) == 0);
  CHECK(metadata["labels"]["vm.kubevirt.io/name"] == "vm1");
  CHECK(metadata["ownerReferences"][0]["kind"] == "VirtualMachineInstance");
  CHECK(metadata["ownerReferences"][0]["uid"] == world.vmi()["metadata"]["uid"]);
  CHECK(metadata["ownerReferences"][0]["controller"] == true);
  CHECK(launchers[0]["status"]["phase"] == "Running");
  CHECK(launchers[0]["spec"]["volumes"].size() == 2);
  CHECK(launchers[0]["spec"]["volumes"][1]["persistentVolumeClaim"]["claimName"] == "vm1-disk-0");
}

TEST_CASE("a hot-plugged disk is the VMI's, not the VM's, and a pod that the launcher owns has it") {
  World world(with_hot_plugged());
  const Json vm = world.cluster.get("kubevirt.io/virtualmachines", "vms", "vm1");
  CHECK(vm["spec"]["template"]["spec"]["volumes"].size() == 2);  // the disk, and cloud-init
  const Json vmi = world.vmi();
  REQUIRE(vmi["spec"]["volumes"].size() == 3);
  CHECK(vmi["spec"]["volumes"][2]["persistentVolumeClaim"] == Json{{"claimName", "vm1-hot-0"}, {"hotpluggable", true}});
  const auto attachments = pods(world, "hotplug-disk");
  REQUIRE(attachments.size() == 1);
  const Json& metadata = attachments[0]["metadata"];
  CHECK(metadata["ownerReferences"][0]["kind"] == "Pod");
  CHECK(metadata["ownerReferences"][0]["uid"] == pods(world, "virt-launcher")[0]["metadata"]["uid"]);
  CHECK(attachments[0]["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] == "vm1-hot-0");
  CHECK(vmi["status"]["volumeStatus"][0]["hotplugVolume"]["attachPodName"] == metadata["name"]);
  CHECK(vmi["status"]["volumeStatus"][0]["hotplugVolume"]["attachPodUID"] == metadata["uid"]);
}

TEST_CASE("the launcher and the attachments go with the VMI, and a restarted VM has others") {
  World world(with_hot_plugged());
  const Json before = pods(world, "virt-launcher")[0];
  world.cluster.guests().restart("vms", "vm1");
  world.runtime.sleep_for(1s);
  CHECK(pods(world, "virt-launcher").empty());
  CHECK(pods(world, "hotplug-disk").empty());
  world.runtime.sleep_for(5s);
  REQUIRE(pods(world, "virt-launcher").size() == 1);
  CHECK(pods(world, "virt-launcher")[0]["metadata"]["uid"] != before["metadata"]["uid"]);
  CHECK(pods(world, "hotplug-disk").size() == 1);
}

TEST_CASE("a migration has two launchers, of which the first ends") {
  World world;
  const std::string first = pods(world, "virt-launcher")[0]["metadata"]["name"];
  world.cluster.guests().migrate("vms", "vm1", Millis(3000));
  world.runtime.sleep_for(1s);
  CHECK(pods(world, "virt-launcher").size() == 2);
  world.runtime.sleep_for(3s);
  for (const Json& pod : pods(world, "virt-launcher")) {
    CHECK(pod["status"]["phase"] == (pod["metadata"]["name"] == first ? "Succeeded" : "Running"));
  }
}

TEST_CASE("a guest that is shut down from inside keeps its VMI in phase Succeeded, one that crashed in Failed") {
  World world;
  const bool crashed = GENERATE(false, true);
  const std::string phase = crashed ? "Failed" : "Succeeded";
  SECTION("while it runs") {
    world.freeze("60s");
    if (crashed) {
      world.cluster.guests().crash("vms", "vm1");
    } else {
      world.cluster.guests().shut_down_inside("vms", "vm1");
    }
  }
  SECTION("before all began") {
    VmOptions vm;
    vm.name = "vm2";
    vm.running = false;
    vm.ended = phase;
    world.cluster.add_vm(vm);
    CHECK(world.cluster.get("kubevirt.io/virtualmachineinstances", "vms", "vm2")["status"]["phase"] == phase);
    CHECK(world.count("power", "vms/vm2") == 0);
    return;
  }
  world.runtime.sleep_for(1s);
  CHECK_FALSE(world.frozen());
  CHECK(world.vmi()["status"]["phase"] == phase);
  CHECK(pods(world, "virt-launcher")[0]["status"]["phase"] == phase);
  CHECK(world.freeze("10s").status == 409);
  CHECK(world.thaw().status == 409);
  CHECK(holders(world, "let-go") == std::vector<std::string>{"vms/vm1-disk-0 vm vms/vm1"});
  const std::string before = world.vmi()["metadata"]["uid"];
  world.cluster.guests().start("vms", "vm1");
  CHECK(world.vmi()["status"]["phase"] == "Running");
  CHECK(world.vmi()["metadata"]["uid"] != before);
}

TEST_CASE("a claim can be a disk of two VMs") {
  World world;
  VmOptions other;
  other.name = "web";
  other.shares = {"vm1-disk-0"};
  world.cluster.add_vm(other);
  const Json vm = world.cluster.get("kubevirt.io/virtualmachines", "vms", "web");
  CHECK(vm["spec"]["template"]["spec"]["volumes"][1]["persistentVolumeClaim"]["claimName"] == "vm1-disk-0");
  CHECK(holders(world, "hold") == std::vector<std::string>{"vms/vm1-disk-0 vm vms/vm1", "vms/web-disk-0 vm vms/web",
                                                           "vms/vm1-disk-0 vm vms/web"});
  world.cluster.locked([&] { CHECK(world.cluster.guests().vm_of_pvc("vms", "vm1-disk-0") == "vms/vm1"); });
}

TEST_CASE("a pod of anyone runs a moment after it was made, and has its claim until it ends") {
  World world;
  REQUIRE(make_pod(world, "vm1-disk-0").status == 201);
  world.runtime.sleep_for(1s);
  CHECK(world.cluster.get("/pods", "vms", "copier")["status"]["phase"] == "Running");
  CHECK(holders(world, "hold").back() == "vms/vm1-disk-0 pod vms/copier");
  world.cluster.call("tenant", "DELETE", "/api/v1/namespaces/vms/pods/copier");
  CHECK(holders(world, "let-go") == std::vector<std::string>{"vms/vm1-disk-0 pod vms/copier"});
}

TEST_CASE("deleting a VM ends its guest, and deleting its VMI starts another") {
  World world;
  const std::string path = "/apis/kubevirt.io/v1/namespaces/vms/virtualmachine";
  SECTION("the VM") {
    world.cluster.call("tenant", "DELETE", path + "s/vm1");
    world.runtime.sleep_for(10s);
    CHECK(world.vmi().is_null());
    CHECK(world.count("power", "off") == 1);
    world.cluster.guests().recreate("vms", "vm1");
    CHECK(world.vmi()["status"]["phase"] == "Running");
  }
  SECTION("the VMI") {
    const std::string before = world.vmi()["metadata"]["uid"];
    world.cluster.call("tenant", "DELETE", path + "instances/vm1");
    world.runtime.sleep_for(10s);
    CHECK(world.vmi()["metadata"]["uid"] != before);
  }
}

TEST_CASE("a claim is bound to a volume that names its driver") {
  SimRuntime runtime;
  Cluster cluster(runtime);
  DiskOptions disk;
  disk.style = GENERATE(StorageStyle::kCsi, StorageStyle::kLonghorn);
  cluster.storage().set_default(disk);
  cluster.add_vm({});
  runtime.sleep_for(1ms);
  const Json claim = cluster.get("/persistentvolumeclaims", "vms", "vm1-disk-0");
  const Json volume = cluster.get("/persistentvolumes", "", claim["spec"]["volumeName"]);
  CHECK(volume["spec"]["csi"]["driver"] ==
        (disk.style == StorageStyle::kCsi ? "hostpath.csi.k8s.io" : "driver.longhorn.io"));
  CHECK(volume["spec"]["csi"]["volumeHandle"] == claim["spec"]["volumeName"]);
  CHECK(volume["spec"]["claimRef"]["uid"] == claim["metadata"]["uid"]);
}
