// What Harvester's controller writes: the backup's status and the VolumeSnapshots.
#include "test/double/api/metadata.h"
#include "test/double/api/part.h"
#include "test/double/api/store.h"
#include "test/double/harvester/harvester.h"
#include "test/double/truth.h"

namespace cluster {
namespace {

using namespace std::chrono_literals;

constexpr const char* kFreezeAnnotation = "harvesterhci.io/snapshotFreezeFS";
constexpr int kTries = 40;
constexpr auto kRetry = 500ms;

// A lost race is read again soon.
constexpr auto kConflictRetry = 50ms;

// Its time changes with its status only.
Json condition(const Json& backup, const char* type, bool holds, Wall now) {
  Json fresh = {{"type", type}, {"status", holds ? "True" : "False"}, {"lastTransitionTime", rfc3339(now)}};
  const Json& status = part(backup, "status");
  for (const Json& old : part(status, "conditions")) {
    if (old["type"] == type && old["status"] == fresh["status"]) return old;
  }
  return fresh;
}

}  // namespace

bool Harvester::write_volume_backups(const std::string& ns, const std::string& name) {
  for (int attempt = 0; attempt < kTries; ++attempt) {
    Json backup = cached(kHarvesterGroup, kHarvesterBackups, ns, name);
    if (backup.is_null()) return false;
    const Json vm = cached("kubevirt.io", "virtualmachines", ns, backup["spec"]["source"]["name"]);
    if (vm.is_null()) {
      set_error(ns, name, "the source VM does not exist");
      return false;
    }
    Json volumes = Json::array();
    for (const Json& volume : vm["spec"]["template"]["spec"]["volumes"]) {
      if (!volume.contains("persistentVolumeClaim")) continue;
      const std::string pvc = volume["persistentVolumeClaim"]["claimName"];
      volumes.push_back({{"name", name + "-volume-" + pvc},
                         {"volumeName", volume["name"]},
                         {"readyToUse", false},
                         {"persistentVolumeClaim", {{"metadata", {{"name", pvc}, {"namespace", ns}}}}}});
    }
    const Wall now = runtime_.wall();
    backup["status"] = {
        {"sourceUID", vm["metadata"]["uid"]},
        {"volumeBackups", volumes},
        {"readyToUse", false},
        {"conditions", {condition(backup, "InProgress", true, now), condition(backup, "Ready", false, now)}}};
    if (update(ns, backup)) return true;
    runtime_.sleep_for(kRetry);
  }
  return false;
}

std::vector<Harvester::Disk> Harvester::missing_disks(const std::string& ns, const std::string& name) {
  std::vector<Disk> missing;
  const ObjectRef backup = seen(kHarvesterGroup, kHarvesterBackups, ns, name);
  if (backup == nullptr) return missing;
  const Json& status = part(backup->json, "status");
  for (const Json& volume : part(status, "volumeBackups")) {
    if (!volume.contains("persistentVolumeClaim")) continue;  // listed by a test, not by us
    if (seen("snapshot.storage.k8s.io", "volumesnapshots", ns, volume["name"]) != nullptr) continue;
    missing.push_back({volume["name"], volume["persistentVolumeClaim"]["metadata"]["name"]});
  }
  return missing;
}

bool Harvester::annotate_freeze(const std::string& ns, const std::string& name, bool frozen) {
  const std::string value = frozen ? "true" : "false";
  for (int attempt = 0; attempt < 3; ++attempt) {
    const ObjectRef before = seen(kHarvesterGroup, kHarvesterBackups, ns, name);
    if (before == nullptr) return false;
    const Json& annotations = part(before->json["metadata"], "annotations");
    if (!annotations.is_null() && annotations.value(kFreezeAnnotation, "") == value) return true;
    Json backup = before->json;
    backup["metadata"]["annotations"][kFreezeAnnotation] = value;
    if (update(ns, backup)) return true;
    runtime_.sleep_for(kConflictRetry);
  }
  return false;
}

bool Harvester::create_snapshot(const Json& backup, const Disk& disk) {
  const std::string ns = backup["metadata"]["namespace"];
  const Json owner = {{"apiVersion", "harvesterhci.io/v1beta1"},
                      {"controller", true},
                      {"kind", "VirtualMachineBackup"},
                      {"name", backup["metadata"]["name"]},
                      {"uid", backup["metadata"]["uid"]}};
  const Json metadata = {{"name", disk.snapshot},
                         {"namespace", ns},
                         {"annotations",
                          {{"harvesterhci.io/imageId", "default/image-abc"},
                           {"harvesterhci.io/storageClassName", "harvester-longhorn"},
                           {"harvesterhci.io/storageProvisioner", "driver.longhorn.io"}}},
                         {"ownerReferences", Json::array({owner})}};
  const Reply reply = call(
      "POST", "/apis/snapshot.storage.k8s.io/v1/namespaces/" + ns + "/volumesnapshots",
      {{"apiVersion", "snapshot.storage.k8s.io/v1"},
       {"kind", "VolumeSnapshot"},
       {"metadata", metadata},
       {"spec",
        {{"source", {{"persistentVolumeClaimName", disk.pvc}}}, {"volumeSnapshotClassName", "longhorn-snapshot"}}}});
  return !reply.dropped && (reply.status == 201 || (reply.status == 409 && reply.json()["reason"] == "AlreadyExists"));
}

// Copies what the VolumeSnapshots say into the backup, and says when all are ready.
void Harvester::follow_snapshots(const std::string& ns, const std::string& name) {
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const ObjectRef before = seen(kHarvesterGroup, kHarvesterBackups, ns, name);
    if (before == nullptr) return;
    Json backup = before->json;
    bool all_ready = backup["status"].contains("volumeBackups");
    for (Json& volume : backup["status"]["volumeBackups"]) {
      const ObjectRef snapshot = seen("snapshot.storage.k8s.io", "volumesnapshots", ns, volume["name"]);
      static const Json kNone = Json::object();
      const Json& status = snapshot == nullptr ? kNone : part(snapshot->json, "status");
      const bool ready = status.value("readyToUse", false);
      volume["readyToUse"] = ready;
      if (status.contains("creationTime")) volume["creationTime"] = status["creationTime"];
      volume.erase("error");
      if (status.contains("error")) volume["error"] = status["error"];
      all_ready = all_ready && ready;
    }
    const Wall now = runtime_.wall();
    backup["status"]["readyToUse"] = all_ready;
    if (all_ready) backup["status"].erase("error");
    backup["status"]["conditions"] = {condition(backup, "InProgress", !all_ready, now),
                                      condition(backup, "Ready", all_ready, now)};
    if (backup == before->json) return;
    if (update(ns, backup)) {
      if (!all_ready) return;
      const Lock lock = runtime_.lock();
      truth_.note("backup", ns + "/" + name, "ready");
      return;
    }
    runtime_.sleep_for(kConflictRetry);
  }
}

}  // namespace cluster
