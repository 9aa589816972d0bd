#include "kube/views.h"

#include <algorithm>
#include <iterator>

#include "base/time.h"

namespace snapfreeze::kube {
namespace {

std::optional<Wall> time_in(const Json& value) {
  const Result<Wall> time = parse_time(value.string());
  return time.ok() ? std::optional(time.value()) : std::nullopt;
}

// Nanoseconds since 1970.
std::optional<Wall> unix_time_in(const Json& value) {
  const auto nanos = value.integer();
  if (!nanos) return std::nullopt;
  return Wall(std::chrono::duration_cast<Wall::duration>(std::chrono::nanoseconds(*nanos)));
}

// Present and not null, whatever the value: times are flags here.
bool is_set(const Json& value) {
  return !value.is_null();
}

StringMap strings_in(const Json& object) {
  StringMap strings;
  for (const auto& [key, value] : object.members()) {
    if (value.is_string()) strings.emplace(key, value.string());
  }
  return strings;
}

const std::string& look_up(const StringMap& strings, std::string_view key) {
  static const std::string kAbsent;
  const auto found = strings.find(key);
  return found == strings.end() ? kAbsent : found->second;
}

// "" when there is none. An error without a message is still an error.
std::string error_in(const Json& status) {
  if (!is_set(status["error"])) return "";
  const std::string& message = status["error"]["message"].string();
  return message.empty() ? "no message" : message;
}

bool condition_is_true(const Json& status, std::string_view type) {
  return std::ranges::any_of(status["conditions"].items(), [&](const Json& condition) {
    return condition["type"].string() == type && condition["status"].string() == "True";
  });
}

const std::string& claim_of(const Json& volume) {
  const std::string& claim = volume["persistentVolumeClaim"]["claimName"].string();
  return claim.empty() ? volume["dataVolume"]["name"].string() : claim;
}

std::vector<std::string> claims_of(const Json& volumes) {
  std::vector<std::string> claims;
  for (const Json& volume : volumes.items()) {
    const std::string& claim = claim_of(volume);
    if (!claim.empty()) claims.push_back(claim);
  }
  return claims;
}

std::vector<std::string> shared_folders_of(const Json& spec) {
  std::vector<std::string> claims;
  for (const Json& folder : spec["domain"]["devices"]["filesystems"].items()) {
    for (const Json& volume : spec["volumes"].items()) {
      const bool is_it = !folder["name"].string().empty() && volume["name"].string() == folder["name"].string();
      if (is_it && !claim_of(volume).empty()) claims.push_back(claim_of(volume));
    }
  }
  return claims;
}

// KubeVirt lists a volume as soon as it is asked for, and says in its status when the guest has it.
std::vector<std::string> attaching_of(const Json& vmi) {
  std::vector<std::string> claims;
  const auto& states = vmi["status"]["volumeStatus"].items();
  for (const Json& volume : vmi["spec"]["volumes"].items()) {
    const bool hot =
        volume["persistentVolumeClaim"]["hotpluggable"].boolean() || volume["dataVolume"]["hotpluggable"].boolean();
    const bool ready = std::ranges::any_of(states, [&](const Json& state) {
      return state["name"].string() == volume["name"].string() && state["phase"].string() == "Ready";
    });
    if (hot && !ready && !claim_of(volume).empty()) claims.push_back(claim_of(volume));
  }
  return claims;
}

}  // namespace

bool OwnerReference::is(std::string_view group, std::string_view of_kind) const {
  const std::string_view version = api_version;
  const std::size_t slash = version.find('/');
  const std::string_view own_group = slash == std::string_view::npos ? "" : version.substr(0, slash);
  return own_group == group && kind == of_kind;
}

const std::string& Metadata::label(std::string_view key) const {
  return look_up(labels, key);
}

const std::string& Metadata::annotation(std::string_view key) const {
  return look_up(annotations, key);
}

const OwnerReference* Metadata::controller() const {
  const auto found = std::ranges::find_if(owner_references, &OwnerReference::controller);
  return found == owner_references.end() ? nullptr : &*found;
}

Metadata Metadata::from(const Json& object) {
  const Json& json = object["metadata"];
  Metadata metadata;
  metadata.name = json["name"].string();
  metadata.generate_name = json["generateName"].string();
  metadata.namespace_ = json["namespace"].string();
  metadata.uid = json["uid"].string();
  metadata.resource_version = json["resourceVersion"].string();
  metadata.creation_timestamp = time_in(json["creationTimestamp"]);
  metadata.deleting = is_set(json["deletionTimestamp"]);
  metadata.labels = strings_in(json["labels"]);
  metadata.annotations = strings_in(json["annotations"]);
  for (const Json& owner : json["ownerReferences"].items()) {
    metadata.owner_references.push_back({owner["apiVersion"].string(), owner["kind"].string(), owner["name"].string(),
                                         owner["uid"].string(), owner["controller"].boolean()});
  }
  return metadata;
}

SnapshotView SnapshotView::from(const Json& object) {
  const Json& source = object["spec"]["source"];
  const Json& status = object["status"];
  SnapshotView view;
  view.metadata = Metadata::from(object);
  view.source_pvc = source["persistentVolumeClaimName"].string();
  view.source_content = source["volumeSnapshotContentName"].string();
  view.bound_content = status["boundVolumeSnapshotContentName"].string();
  view.captured = is_set(status["creationTime"]);
  view.created = time_in(status["creationTime"]);
  view.ready = status["readyToUse"].boolean();
  view.error = error_in(status);
  view.untouched = status.members().empty();
  return view;
}

ContentView ContentView::from(const Json& object) {
  const Json& snapshot = object["spec"]["volumeSnapshotRef"];
  const Json& status = object["status"];
  ContentView view;
  view.metadata = Metadata::from(object);
  view.snapshot_namespace = snapshot["namespace"].string();
  view.snapshot_name = snapshot["name"].string();
  view.snapshot_uid = snapshot["uid"].string();
  view.driver = object["spec"]["driver"].string();
  view.volume_handle = object["spec"]["source"]["volumeHandle"].string();
  view.captured = is_set(status["creationTime"]);
  view.created = unix_time_in(status["creationTime"]);
  view.ready = status["readyToUse"].boolean();
  view.error = error_in(status);
  return view;
}

LonghornSnapshotView LonghornSnapshotView::from(const Json& object) {
  static constexpr std::string_view kPrefix = "snapshot-";
  const Json& status = object["status"];
  LonghornSnapshotView view;
  view.metadata = Metadata::from(object);
  const std::string& name = view.metadata.name;
  if (name.starts_with(kPrefix)) view.snapshot_uid = name.substr(kPrefix.size());
  view.captured = !status["requestedTime"].string().empty() || !status["creationTime"].string().empty();
  view.created = time_in(status["creationTime"]);
  return view;
}

BackupView BackupView::from(const Json& object) {
  const Json& spec = object["spec"];
  const Json& status = object["status"];
  BackupView view;
  view.metadata = Metadata::from(object);
  view.source_name = spec["source"]["name"].string();
  view.type = spec["type"].string();
  const Result<Millis> deadline = parse_duration(spec["fsFreezeDeadline"].string());
  if (deadline.ok()) view.fs_freeze_deadline = deadline.value();
  for (const Json& volume : status["volumeBackups"].items()) {
    const std::string& name = volume["name"].string();
    if (name.empty()) continue;
    view.snapshot_names.push_back(name);
    if (!volume["creationTime"].string().empty()) view.made.push_back(name);
  }
  view.ready = status["readyToUse"].boolean();
  view.error = error_in(status);
  view.error_time = time_in(status["error"]["time"]);
  const std::string& freezes = view.metadata.annotation("harvesterhci.io/snapshotFreezeFS");
  view.freeze_decided = !freezes.empty();
  view.harvester_froze = freezes == "true";
  return view;
}

VmiView VmiView::from(const Json& object) {
  const Json& status = object["status"];
  VmiView view;
  view.metadata = Metadata::from(object);
  view.phase = status["phase"].string();
  view.agent_connected = condition_is_true(status, "AgentConnected");
  view.paused = condition_is_true(status, "Paused");
  if (const Json& migration = status["migrationState"]; migration.is_object()) {
    view.migration = MigrationState{migration["migrationUid"].string(), time_in(migration["startTimestamp"]),
                                    time_in(migration["endTimestamp"]), migration["completed"].boolean(),
                                    migration["failed"].boolean()};
  }
  view.fs_freeze_status = status["fsFreezeStatus"].string();
  view.guest_os_id = status["guestOSInfo"]["id"].string();
  view.claims = claims_of(object["spec"]["volumes"]);
  view.shared_folders = shared_folders_of(object["spec"]);
  view.attaching = attaching_of(object);
  const Json& backup = status["changedBlockTracking"]["backupStatus"];
  if (!backup["completed"].boolean()) view.backup_in_progress = backup["backupName"].string();
  return view;
}

std::vector<std::string> VmiView::disks() const {
  std::vector<std::string> disks;
  std::ranges::copy_if(claims, std::back_inserter(disks), [&](const std::string& claim) {
    return std::ranges::find(shared_folders, claim) == shared_folders.end() &&
           std::ranges::find(attaching, claim) == attaching.end();
  });
  return disks;
}

VmView VmView::from(const Json& object) {
  VmView view;
  view.metadata = Metadata::from(object);
  view.snapshot_in_progress = object["status"]["snapshotInProgress"].string();
  view.printable_status = object["status"]["printableStatus"].string();
  view.claims = claims_of(object["spec"]["template"]["spec"]["volumes"]);
  return view;
}

PodView PodView::from(const Json& object) {
  const std::string& phase = object["status"]["phase"].string();
  PodView view;
  view.metadata = Metadata::from(object);
  view.finished = phase == "Succeeded" || phase == "Failed";
  for (const Json& volume : object["spec"]["volumes"].items()) {
    const std::string& claim = volume["persistentVolumeClaim"]["claimName"].string();
    if (!claim.empty()) view.claims.push_back(claim);
    // The claim of a generic ephemeral volume is named after its pod and the volume.
    if (volume["ephemeral"].is_object()) view.claims.push_back(view.metadata.name + "-" + volume["name"].string());
  }
  return view;
}

LeaseView LeaseView::from(const Json& object) {
  const Json& spec = object["spec"];
  LeaseView view;
  view.metadata = Metadata::from(object);
  view.holder_identity = spec["holderIdentity"].string();
  view.lease_duration_seconds = spec["leaseDurationSeconds"].integer().value_or(0);
  view.lease_transitions = spec["leaseTransitions"].integer().value_or(0);
  view.acquire_time = time_in(spec["acquireTime"]);
  view.renew_time = time_in(spec["renewTime"]);
  return view;
}

}  // namespace snapfreeze::kube
