// One job at a time against the simulated cluster: a VM with a backup as Harvester makes it, and a session that is over
// to the point where the job begins.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/log.h"
#include "freeze/names.h"
#include "sweeper/conclude.h"
#include "sweeper/thaw.h"
#include "test/double/runtime/runtime_sim.h"
#include "test/sim/process.h"
#include "test/support/catch.h"
#include "test/unit/sweeper/build.h"

namespace snapfreeze::test {

class FakeLeadership : public sweeper::Leadership {
 public:
  [[nodiscard]] bool leads_for(Millis) const override { return !lost_after || asked_++ < *lost_after; }
  std::optional<int> lost_after;  // asked so many times; nullopt: leads for ever

 private:
  mutable int asked_ = 0;
};

struct Rig {
  explicit Rig(int disks = 2, bool is_windows = false)
      : windows(is_windows), cluster(runtime), machine(cluster, "me", record) {
    log::configure(log::Format::kText, log::Level::kError);
    cluster.add_namespace(sim::kOwnNamespace);
    cluster::VmOptions vm;
    vm.disks = disks;
    vm.windows = windows;
    cluster.add_vm(vm);
    (void)kube::get(machine.api, "/apis/kubevirt.io/v1/virtualmachines");  // to know the server's clock
  }

  // Harvester's, complete with its snapshots; nobody labels them.
  std::string make_backup(const std::string& name = "b1") {
    const auto created = cluster.start_backup("vms", name, "vm1");
    runtime.sleep_for(Millis(3000));
    return created["metadata"]["uid"];
  }

  freeze::Session begin(freeze::Phase phase, const std::string& backup_uid = "uid-b1") {
    freeze::Session wanted = session(phase);
    wanted.vmi_uid = cluster.get("kubevirt.io/virtualmachineinstances", "vms", "vm1")["metadata"]["uid"];
    wanted.holds[0].uid = backup_uid;
    wanted.windows = windows;
    wanted.frozen_by = runtime.wall();
    const auto created = machine.sessions.create(wanted);
    REQUIRE(created.ok());
    cluster.locked([&] { cluster.faults().clear_ledger(); });
    return *created;
  }

  int calls(const std::string& verb = "") {
    return cluster.locked([&] {
      if (verb.empty()) return cluster.faults().calls("me");
      const auto& ledger = cluster.faults().ledger();
      return ledger.contains("me") && ledger.at("me").contains(verb) ? ledger.at("me").at(verb) : 0;
    });
  }

  void fail(const std::string& verb, const std::string& path, int status, int count = -1) {
    cluster.add_fault(cluster::refusal("me", verb, path, status, count));
  }

  std::string note(const std::string& resource, const std::string& name, const std::string& annotation) {
    const auto object = cluster.get(resource, "vms", name);
    if (!object.is_object()) return "";
    return object["metadata"]
        .value("annotations", cluster::Json::object())
        .value("snapfreeze.harvesterhci.io/" + annotation, "");
  }
  std::string of_snapshot(int disk, const std::string& annotation) {
    return note("snapshot.storage.k8s.io/volumesnapshots", "b1-volume-vm1-disk-" + std::to_string(disk), annotation);
  }
  std::string of_backup(const std::string& annotation) {
    return note("harvesterhci.io/virtualmachinebackups", "b1", annotation);
  }
  std::optional<freeze::Session> on_record() { return *machine.sessions.read("vms", "vm1"); }
  // Those about a VM, or all others.
  std::vector<cluster::Json> events(bool of_vm) {
    return cluster.locked([&] {
      auto& store = cluster.store();
      std::vector<cluster::Json> found;
      for (const auto& event : store.all(store.resources().at("", "events"))) {
        if ((event->json["involvedObject"]["kind"] == "VirtualMachine") == of_vm) found.push_back(event->json);
      }
      return found;
    });
  }
  static cluster::Json last_of(const std::vector<cluster::Json>& events) {
    return events.empty() ? cluster::Json::object() : events.back();
  }
  cluster::Json last_event() { return last_of(events(false)); }
  cluster::Json last_vm_event() { return last_of(events(true)); }

  const bool windows;
  cluster::SimRuntime runtime;
  cluster::Cluster cluster;
  sim::Record record{cluster};
  std::vector<std::string>& unrecorded = record.unrecorded();
  sim::Process machine;
  FakeLeadership leadership;
  sweeper::Seams seams{machine.api, machine.clock, machine.server_time, machine.sessions, leadership, machine.metrics};
  sweeper::Settings settings{"me", {}};
};

}  // namespace snapfreeze::test
