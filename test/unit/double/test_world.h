// What the double's own tests share: a cluster in virtual time with one VM.
#pragma once

#include <string>

#include "test/double/cluster.h"
#include "test/double/runtime/runtime_sim.h"

namespace cluster {

struct World {
  SimRuntime runtime;
  Cluster cluster{runtime};

  explicit World(const VmOptions& vm = {}, std::uint64_t seed = 1) : runtime(seed) { cluster.add_vm(vm); }

  Reply operate(const std::string& operation, const Json& body = {}, const std::string& caller = "webhook") {
    return cluster.call(caller, "PUT",
                        "/apis/subresources.kubevirt.io/v1/namespaces/vms/virtualmachineinstances/vm1/" + operation,
                        body);
  }
  Reply freeze(const std::string& timeout, const std::string& caller = "webhook") {
    return operate("freeze", {{"unfreezeTimeout", timeout}}, caller);
  }
  Reply thaw() { return operate("unfreeze"); }

  bool frozen() {
    return cluster.locked([this] { return cluster.truth().frozen_now("vms/vm1"); });
  }
  int freezes() {
    return cluster.locked([this] { return cluster.truth().freezes("vms/vm1"); });
  }
  Millis longest_frozen() {
    return cluster.locked([this] { return cluster.truth().longest_frozen("vms/vm1"); });
  }
  Consistency consistency(const std::string& backup, int disks) {
    return cluster.locked([&] { return cluster.truth().consistency("vms", backup, disks); });
  }
  // Milliseconds since the start of the first entry of that kind about an object whose name holds `part`; -1: none.
  double when(const std::string& kind, const std::string& part = "") {
    const Lock lock = runtime.lock();
    for (const TimelineEntry& entry : cluster.truth().timeline()) {
      const bool about = entry.object.find(part) != std::string::npos || entry.detail.find(part) != std::string::npos;
      if (entry.kind == kind && about) return cluster.truth().since_start(entry.at);
    }
    return -1;
  }
  int count(const std::string& kind, const std::string& part = "") {
    const Lock lock = runtime.lock();
    int found = 0;
    for (const TimelineEntry& entry : cluster.truth().timeline()) {
      const bool about = entry.object.find(part) != std::string::npos || entry.detail.find(part) != std::string::npos;
      found += entry.kind == kind && about ? 1 : 0;
    }
    return found;
  }
  Json vmi() { return cluster.get("kubevirt.io/virtualmachineinstances", "vms", "vm1"); }
  Json backup(const std::string& name) { return cluster.get("harvesterhci.io/virtualmachinebackups", "vms", name); }
  bool error_of(const std::string& name) { return backup(name)["status"].contains("error"); }
  Json snapshot(const std::string& name) { return cluster.get("snapshot.storage.k8s.io/volumesnapshots", "vms", name); }
};

}  // namespace cluster
