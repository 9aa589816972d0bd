// The few fields that we use of each kind of object, as plain values. from() takes the whole object and never fails: a
// field that is absent, null or of another type is empty. So an odd object leads to a decision, never to a crash.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"

namespace snapfreeze::kube {

struct OwnerReference {
  std::string api_version;
  std::string kind;
  std::string name;
  std::string uid;
  bool controller = false;

  // Whether it names a kind of that API group, in any version.
  [[nodiscard]] bool is(std::string_view group, std::string_view of_kind) const;
};

using StringMap = std::map<std::string, std::string, std::less<>>;

struct Metadata {
  std::string name;
  std::string generate_name;
  std::string namespace_;
  std::string uid;
  std::string resource_version;
  std::optional<Wall> creation_timestamp;  // the API server's clock, whole seconds, truncated
  bool deleting = false;                   // deletionTimestamp is set
  StringMap labels;
  StringMap annotations;
  std::vector<OwnerReference> owner_references;

  [[nodiscard]] const std::string& label(std::string_view key) const;       // "" when absent
  [[nodiscard]] const std::string& annotation(std::string_view key) const;  // "" when absent
  [[nodiscard]] const OwnerReference* controller() const;                   // the owner that controls it, or nullptr

  static Metadata from(const Json& object);
};

// snapshot.storage.k8s.io/v1 VolumeSnapshot.
struct SnapshotView {
  Metadata metadata;
  std::string source_pvc;
  std::string source_content;  // set: an import of an existing snapshot (restore, synced backup), not a cut
  std::string bound_content;
  bool captured = false;  // status.creationTime is set: a flag, its value is another machine's clock and may be 1970
  std::optional<Wall> created;  // that value: it tells one cut from another, and not when it was
  bool ready = false;
  std::string error;       // interim: the controller tries again
  bool untouched = false;  // it has no status: it has just been created, and no controller has seen it

  static SnapshotView from(const Json& object);
};

// snapshot.storage.k8s.io/v1 VolumeSnapshotContent, which has no namespace.
struct ContentView {
  Metadata metadata;
  std::string snapshot_namespace;  // spec.volumeSnapshotRef
  std::string snapshot_name;
  std::string snapshot_uid;
  std::string driver;           // of the CSI driver that cuts the volume
  std::string volume_handle;    // what that driver calls the volume; "" for a snapshot that was there before
  bool captured = false;        // status.creationTime (nanoseconds, an integer) is set
  std::optional<Wall> created;  // that value, as in a SnapshotView
  bool ready = false;
  std::string error;  // interim

  static ContentView from(const Json& object);
};

// longhorn.io/v1beta2 Snapshot. Longhorn's CSI driver calls it "snapshot-<uid of the VolumeSnapshot>".
struct LonghornSnapshotView {
  Metadata metadata;
  std::string snapshot_uid;  // "" when the name is not of that form: a snapshot made by other means
  bool captured = false;     // status.requestedTime, or of an older Longhorn status.creationTime, is set and not ""
  // status.creationTime: the engine's own word for the moment of the cut, which its REST API says too.
  std::optional<Wall> created;

  static LonghornSnapshotView from(const Json& object);
};

// harvesterhci.io/v1beta1 VirtualMachineBackup.
struct BackupView {
  Metadata metadata;
  std::string source_name;                   // the VM, in the backup's namespace
  std::string type;                          // "backup" or "snapshot"
  std::optional<Millis> fs_freeze_deadline;  // nullopt: not set, or not a duration
  std::vector<std::string> snapshot_names;   // status.volumeBackups[].name: the set to wait for
  std::vector<std::string> made;             // those of them that have a creationTime, so that they are cut
  bool ready = false;
  std::string error;  // of the backup, written anew by each attempt of Harvester's that fails
  std::optional<Wall> error_time;
  // Annotation snapshotFreezeFS, which Harvester writes before each snapshot: it is there, and it is "true", that is,
  // Harvester calls freeze for that snapshot.
  bool freeze_decided = false;
  bool harvester_froze = false;

  // Harvester's controller stops working on a backup when status.readyToUse is true. status.error does not end it: the
  // error goes away when the failed volume snapshot recovers.
  [[nodiscard]] bool complete() const { return ready; }

  static BackupView from(const Json& object);
};

// status.migrationState of a VMI, which stays after the migration has ended.
struct MigrationState {
  std::string uid;
  std::optional<Wall> start;
  std::optional<Wall> end;
  bool completed = false;
  bool failed = false;

  // It was announced or runs, and is not over.
  [[nodiscard]] bool active() const { return !end && !completed && !failed; }
};

// kubevirt.io/v1 VirtualMachineInstance.
struct VmiView {
  Metadata metadata;
  std::string phase;  // "Running" when it runs
  bool agent_connected = false;
  bool paused = false;
  std::optional<MigrationState> migration;
  std::string fs_freeze_status;  // "frozen", "thawed" or "": polled every 5 s, stale in both directions
  std::string guest_os_id;       // "mswindows" for Windows; "" without an agent
  // The claims of its volumes, including hot-plugged ones. A DataVolume's claim has the DataVolume's name.
  std::vector<std::string> claims;
  // Those of them that are not its own disks: folders shared with it (virtiofs), which a freeze of its filesystems does
  // not reach.
  std::vector<std::string> shared_folders;
  // Those of them that are being hot-plugged. The guest may mount one at any time, also after a freeze.
  std::vector<std::string> attaching;
  // The KubeVirt backup of it (backup.kubevirt.io) that is under way, or "".
  std::string backup_in_progress;

  // Whether it was shut down from inside, or crashed, and not started again. The object stays; its launcher is gone.
  [[nodiscard]] bool off() const { return phase == "Succeeded" || phase == "Failed"; }
  [[nodiscard]] bool running() const { return phase == "Running"; }
  [[nodiscard]] bool migrating() const { return migration && migration->active(); }
  [[nodiscard]] bool reported_frozen() const { return fs_freeze_status == "frozen"; }
  [[nodiscard]] bool windows() const { return guest_os_id == "mswindows"; }
  [[nodiscard]] std::vector<std::string> disks() const;  // the claims that a freeze reaches

  static VmiView from(const Json& object);
};

// kubevirt.io/v1 VirtualMachine.
struct VmView {
  Metadata metadata;
  std::string snapshot_in_progress;  // the VirtualMachineSnapshot that is being taken, or ""
  std::string printable_status;      // "Running", "Stopped", "Starting", ...
  std::vector<std::string> claims;   // of the disks in its template, as in a VmiView

  static VmView from(const Json& object);
};

// core/v1 Pod.
struct PodView {
  Metadata metadata;
  bool finished = false;            // its containers have ended for good
  std::vector<std::string> claims;  // of its volumes, those that are made for it alone too

  static PodView from(const Json& object);
};

// coordination.k8s.io/v1 Lease.
struct LeaseView {
  Metadata metadata;
  std::string holder_identity;
  std::int64_t lease_duration_seconds = 0;  // 0 when absent
  std::int64_t lease_transitions = 0;
  std::optional<Wall> acquire_time;
  std::optional<Wall> renew_time;

  static LeaseView from(const Json& object);
};

}  // namespace snapfreeze::kube
