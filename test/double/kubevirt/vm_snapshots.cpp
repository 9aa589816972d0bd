// KubeVirt's own VirtualMachineSnapshot, and the backup of backup.kubevirt.io: both freeze the guest by themselves, and
// their end thaws it without asking whose freeze it was.
#include "test/double/api/metadata.h"
#include "test/double/api/part.h"
#include "test/double/api/store.h"
#include "test/double/kubevirt/guest.h"

namespace cluster {
namespace {

using namespace std::chrono_literals;

constexpr const char* kBackupGroup = "backup.kubevirt.io";
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

void Guests::set_version(int major, int minor) {
  const Lock lock = runtime_.lock();
  has_done_ = std::pair(major, minor) <= std::pair(1, 8);
}

void Guests::kubevirt_backup(const std::string& ns, const std::string& vm, const BackupOptions& options) {
  const Lock lock = runtime_.lock();
  const ResourceType& backups = store_.resources().at(kBackupGroup, "virtualmachinebackups");
  const ResourceType& trackers = store_.resources().at(kBackupGroup, "virtualmachinebackuptrackers");
  const Json of_vm = {{"apiGroup", "kubevirt.io"}, {"kind", "VirtualMachine"}, {"name", vm}};
  const std::string tracker = vm + "-tracker";
  const Json of_tracker = {{"apiGroup", kBackupGroup}, {"kind", trackers.kind}, {"name", tracker}};
  if (options.tracker && store_.get(trackers, ns, tracker) == nullptr) {
    store_.create(trackers, ns,
                  {{"apiVersion", trackers.api_version()},
                   {"kind", trackers.kind},
                   {"metadata", {{"name", tracker}}},
                   {"spec", {{"source", of_vm}}}});
  }
  vm_snapshot_durations_[ns + "/" + options.name] = options.duration;
  if (options.fails) backups_that_fail_.insert(ns + "/" + options.name);
  store_.create(backups, ns,
                {{"apiVersion", backups.api_version()},
                 {"kind", backups.kind},
                 {"metadata", {{"name", options.name}}},
                 {"spec", {{"source", options.tracker ? of_tracker : of_vm}, {"pvcName", "backup-output"}}}});
}

// The VM that is to be backed up: named itself, or by a tracker. nullptr: there is none.
Guests::GuestRef Guests::source_of(const Json& object) const {
  const std::string ns = object["metadata"].value("namespace", "");
  Json source = part(part(object, "spec"), "source");
  if (source.value("kind", "") == "VirtualMachineBackupTracker") {
    const ResourceType& trackers = store_.resources().at(kBackupGroup, "virtualmachinebackuptrackers");
    const ObjectRef tracker = store_.get(trackers, ns, source.value("name", ""));
    if (tracker == nullptr) return nullptr;
    source = tracker->json["spec"]["source"];
  }
  const auto found = guests_.find(ns + "/" + source.value("name", ""));
  return found == guests_.end() ? nullptr : found->second;
}

Json Guests::progress(const ResourceType& type, bool over, bool failed) const {
  const auto condition = [&](const char* name, bool holds) -> Json {
    return {{"type", name},
            {"status", holds ? "True" : "False"},
            {"reason", !over    ? "Initiated"
                       : failed ? "Failed"
                                : "Completed"},
            {"lastTransitionTime", rfc3339(runtime_.wall())}};
  };
  Json conditions = Json::array({condition("Progressing", !over)});
  if (type.group != kBackupGroup) {
    conditions.push_back(condition("Ready", over && !failed));
    Json status = {{"phase", !over    ? "InProgress"
                             : failed ? "Failed"
                                      : "Succeeded"},
                   {"readyToUse", over && !failed},
                   {"conditions", conditions}};
    if (over && !failed) status["creationTime"] = rfc3339(runtime_.wall());
    return status;
  }
  if (over) conditions.push_back(condition(has_done_ ? "Done" : failed ? "Failed" : "Complete", true));
  return {{"conditions", conditions}};
}

void Guests::set_progress(const ResourceType& type, const std::string& ns, const std::string& name, bool over) {
  const Json status = progress(type, over, backups_that_fail_.count(ns + "/" + name) != 0);
  store_.update(type, ns, name, Store::Scope::kAll, [&](Json& object) -> std::optional<Reply> {
    object["status"] = status;
    return std::nullopt;
  });
}

void Guests::set_in_progress(const Guest& guest, const std::optional<std::string>& snapshot) {
  store_.update(store_.resources().at("kubevirt.io", "virtualmachines"), guest.options.ns, guest.options.name,
                Store::Scope::kAll, [&](Json& vm) -> std::optional<Reply> {
                  vm["status"].erase("snapshotInProgress");
                  if (snapshot) vm["status"]["snapshotInProgress"] = *snapshot;
                  return std::nullopt;
                });
}

void Guests::begin_vm_snapshot(const ResourceType& type, const std::string& ns, const std::string& name) {
  const ObjectRef snapshot = store_.get(type, ns, name);
  const GuestRef guest = snapshot == nullptr ? nullptr : source_of(snapshot->json);
  if (guest == nullptr) return;
  set_progress(type, ns, name, false);
  if (type.group != kBackupGroup) set_in_progress(*guest, name);
  if (guest->powered && guest->agent) begin(guest, "freeze", "vm-snapshot", kFailureDeadline);
  const auto own = vm_snapshot_durations_.find(ns + "/" + name);
  agenda_.after(own == vm_snapshot_durations_.end() ? vm_snapshot_duration_ : own->second,
                [this, &type, ns, name] { end_vm_snapshot(type, ns, name); });
}

void Guests::end_vm_snapshot(const ResourceType& type, const std::string& ns, const std::string& name) {
  const ObjectRef snapshot = store_.get(type, ns, name);
  const GuestRef guest = snapshot == nullptr ? nullptr : source_of(snapshot->json);
  if (guest == nullptr) return;
  if (guest->powered && guest->agent) begin(guest, "unfreeze", "vm-snapshot", 0s);
  set_in_progress(*guest, std::nullopt);
  set_progress(type, ns, name, true);
}

}  // namespace cluster
