// KubeVirt's own VirtualMachineSnapshot, and the backup of backup.kubevirt.io: both freeze the guest by themselves, and
// their end thaws it without asking whose freeze it was.
#include "test/cluster/guest.h"
#include "test/cluster/metadata.h"
#include "test/cluster/store.h"

namespace cluster {
namespace {

using namespace std::chrono_literals;

constexpr auto kControllerDelay = 20ms;
constexpr auto kFailureDeadline = 300s;  // KubeVirt's default, used as the unfreeze timeout

}  // namespace

void Guests::set_vm_snapshot_duration(Millis duration) {
  const Lock lock = runtime_.lock();
  vm_snapshot_duration_ = duration;
}

void Guests::vm_snapshot(const std::string& ns, const std::string& vm, const std::string& name, Millis duration) {
  const Lock lock = runtime_.lock();
  vm_snapshot_durations_[ns + "/" + name] = duration;
  store_.create(store_.resources().at("snapshot.kubevirt.io", "virtualmachinesnapshots"), ns,
                {{"apiVersion", "snapshot.kubevirt.io/v1beta1"},
                 {"kind", "VirtualMachineSnapshot"},
                 {"metadata", {{"name", name}}},
                 {"spec", {{"source", {{"apiGroup", "kubevirt.io"}, {"kind", "VirtualMachine"}, {"name", vm}}}}}});
}

void Guests::watch_vm_snapshots() {
  for (const auto& [group, resource] : {std::pair("snapshot.kubevirt.io", "virtualmachinesnapshots"),
                                        std::pair("backup.kubevirt.io", "virtualmachinebackups")}) {
    const ResourceType& type = store_.resources().at(group, resource);
    store_.observe(group, resource, [this, &type](const WatchEvent& event) {
      if (event.type != EventType::kAdded) return;
      const Json& metadata = event.object->json["metadata"];
      agenda_.after(kControllerDelay, [this, &type, ns = metadata.value("namespace", ""),
                                       name = metadata.value("name", "")] { begin_vm_snapshot(type, ns, name); });
    });
  }
}

void Guests::begin_vm_snapshot(const ResourceType& type, const std::string& ns, const std::string& name) {
  const ObjectRef snapshot = store_.get(type, ns, name);
  if (snapshot == nullptr) return;
  const Json source = snapshot->json.value("spec", Json::object()).value("source", Json::object());
  const auto found = guests_.find(ns + "/" + source.value("name", ""));
  if (found == guests_.end()) return;
  const GuestRef guest = found->second;
  store_.update(type, ns, name, Store::Scope::kAll, [](Json& object) -> std::optional<Reply> {
    object["status"] = {{"phase", "InProgress"}, {"readyToUse", false}};
    return std::nullopt;
  });
  if (type.group == "snapshot.kubevirt.io") {
    store_.update(store_.resources().at("kubevirt.io", "virtualmachines"), ns, guest->options.name, Store::Scope::kAll,
                  [&](Json& vm) -> std::optional<Reply> {
                    vm["status"]["snapshotInProgress"] = name;
                    return std::nullopt;
                  });
  }
  if (guest->powered && guest->agent) begin(guest, "freeze", "vm-snapshot", kFailureDeadline);
  const auto own = vm_snapshot_durations_.find(ns + "/" + name);
  agenda_.after(own == vm_snapshot_durations_.end() ? vm_snapshot_duration_ : own->second,
                [this, &type, ns, name] { end_vm_snapshot(type, ns, name); });
}

void Guests::end_vm_snapshot(const ResourceType& type, const std::string& ns, const std::string& name) {
  const ObjectRef snapshot = store_.get(type, ns, name);
  if (snapshot == nullptr) return;
  const GuestRef guest = guests_.at(ns + "/" + snapshot->json["spec"]["source"]["name"].get<std::string>());
  if (guest->powered && guest->agent) begin(guest, "unfreeze", "vm-snapshot", 0s);
  store_.update(store_.resources().at("kubevirt.io", "virtualmachines"), ns, guest->options.name, Store::Scope::kAll,
                [&](Json& vm) -> std::optional<Reply> {
                  vm["status"].erase("snapshotInProgress");
                  return std::nullopt;
                });
  store_.update(type, ns, name, Store::Scope::kAll, [&](Json& object) -> std::optional<Reply> {
    object["status"] = {{"phase", "Succeeded"}, {"readyToUse", true}, {"creationTime", rfc3339(runtime_.wall())}};
    return std::nullopt;
  });
}

}  // namespace cluster
