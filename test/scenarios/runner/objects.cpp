#include "test/scenarios/runner/objects.h"

#include <array>

namespace runner {
namespace {

const std::string kCopied = "copied-from-";

struct Owner {
  const char* word;
  const char* api_version;
  const char* kind;
};
constexpr std::array<Owner, 3> kOwners{{
    {"vm-snapshot", "snapshot.kubevirt.io/v1beta1", "VirtualMachineSnapshotContent"},
    {"volume-group", "groupsnapshot.storage.k8s.io/v1beta1", "VolumeGroupSnapshot"},
    {"clone", "cdi.kubevirt.io/v1beta1", "DataVolume"},
}};

Json owner_of(const Snapshot& snapshot, const Json& copied) {
  if (!copied.is_null()) {
    return {{"apiVersion", "harvesterhci.io/v1beta1"},
            {"kind", "VirtualMachineBackup"},
            {"name", copied["metadata"]["name"]},
            {"uid", copied["metadata"]["uid"]},
            {"controller", true}};
  }
  for (const Owner& owner : kOwners) {
    if (snapshot.owner != owner.word) continue;
    return {{"apiVersion", owner.api_version},
            {"kind", owner.kind},
            {"name", "of-" + snapshot.name},
            {"uid", "3f0c9f7e-0000-4000-8000-000000000001"},
            {"controller", true}};
  }
  return {};
}

}  // namespace

std::string collection_path(const std::string& collection, const std::string& ns) {
  const std::size_t slash = collection.rfind('/');
  const bool core = collection.find('/') == slash;
  return (core ? "/api/" : "/apis/") + collection.substr(0, slash) + (ns.empty() ? "" : "/namespaces/" + ns) +
         collection.substr(slash);
}

std::string object_path(const std::string& collection, const std::string& ns, const std::string& name) {
  return collection_path(collection, ns) + "/" + name;
}

std::string freeze_path(const std::string& ns, const std::string& vm) {
  return "/apis/subresources.kubevirt.io/v1/namespaces/" + ns + "/virtualmachineinstances/" + vm + "/freeze";
}

std::string thaw_path(const std::string& ns, const std::string& vm) {
  return "/apis/subresources.kubevirt.io/v1/namespaces/" + ns + "/virtualmachineinstances/" + vm + "/unfreeze";
}

Json freeze_body(Millis lasts) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(lasts).count();
  return {{"unfreezeTimeout", std::to_string(seconds) + "s"}};
}

Json backup_object(const Backup& backup) {
  Json spec = {{"type", "backup"},
               {"source", {{"apiGroup", "kubevirt.io"}, {"kind", "VirtualMachine"}, {"name", backup.vm}}}};
  if (!backup.freeze_deadline.empty()) spec["fsFreezeDeadline"] = backup.freeze_deadline;
  Json metadata = {{"name", backup.name}};
  if (backup.opted_out) metadata["annotations"][std::string(kPrefix) + "skip"] = "true";
  return {{"apiVersion", "harvesterhci.io/v1beta1"},
          {"kind", "VirtualMachineBackup"},
          {"metadata", metadata},
          {"spec", spec}};
}

Json pod_object(const Pod& pod) {
  Json volumes = Json::array();
  Json mounts = Json::array();
  for (const std::string& claim : pod.mounts) {
    const std::string name = "volume-" + std::to_string(volumes.size());
    volumes.push_back({{"name", name}, {"persistentVolumeClaim", {{"claimName", claim}}}});
    mounts.push_back({{"name", name}, {"devicePath", "/dev/" + name}});
  }
  const Json container = {{"name", "reader"}, {"image", "none"}, {"volumeDevices", mounts}};
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", {{"name", pod.name}}},
          {"spec", {{"containers", Json::array({container})}, {"volumes", volumes}}}};
}

std::string snapshot_name(const std::string& backup, const std::string& disk) {
  return backup + "-volume-" + disk;
}

std::string copied_backup(const Snapshot& snapshot) {
  return snapshot.owner.rfind(kCopied, 0) == 0 ? snapshot.owner.substr(kCopied.size()) : "";
}

std::string creation_path(const Snapshot& snapshot) {
  return collection_path(kVolumeSnapshots, snapshot.namespace_) + (snapshot.dry_run ? "?dryRun=All" : "");
}

Json snapshot_object(const Snapshot& snapshot, const Json& copied) {
  Json metadata = {{"name", snapshot.name}};
  const std::string prefix = kPrefix;
  if (!snapshot.backup.empty()) metadata["labels"][prefix + "backup"] = snapshot.backup;
  if (!snapshot.vm.empty()) metadata["annotations"][prefix + "vm"] = snapshot.vm;
  if (!snapshot.members.empty()) metadata["annotations"][prefix + "members"] = snapshot.members;
  for (const auto& [key, value] : snapshot.labels) metadata["labels"][key] = value;
  for (const auto& [key, value] : snapshot.annotations) metadata["annotations"][key] = value;
  const Json owner = owner_of(snapshot, copied);
  if (!owner.is_null()) metadata["ownerReferences"] = Json::array({owner});
  const Json source = snapshot.import ? Json{{"volumeSnapshotContentName", snapshot.name + "-content"}}
                                      : Json{{"persistentVolumeClaimName", snapshot.disk}};
  return {{"apiVersion", "snapshot.storage.k8s.io/v1"},
          {"kind", "VolumeSnapshot"},
          {"metadata", metadata},
          {"spec", {{"source", source}, {"volumeSnapshotClassName", "longhorn-snapshot"}}}};
}

}  // namespace runner
