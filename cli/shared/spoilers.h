// Who else freezes a VM or uses its disks, and so spoils the verdicts of its backups, by name. Pure.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "freeze/interference.h"
#include "kube/views.h"

namespace snapfreeze::cli {

// What an existing VolumeSnapshot tells of its disk, and of the time when its backup was active.
struct MadeSnapshot {
  std::string name;
  std::string backup_uid;  // of the VirtualMachineBackup that controls it; "" when none does
  std::string claim;
  std::optional<Wall> created;

  static MadeSnapshot from(const kube::SnapshotView& view);
};

// The other objects of one namespace. Kinds that were not asked for are empty.
struct Others {
  std::vector<kube::BackupView> backups;
  std::vector<MadeSnapshot> snapshots;
  std::vector<freeze::Freezer> kubevirt_snapshots;
  std::vector<freeze::Freezer> kubevirt_backups;
  std::vector<kube::VmiView> vmis;
  std::vector<kube::VmView> vms;
  std::vector<kube::PodView> pods;
  std::vector<std::string> unseen;  // what could not be read, and why; it may be missing above
};

// The backup that may have been spoiled.
struct Spoiled {
  std::string vm;
  std::string backup_uid;           // of Harvester's backup; "" for a label
  std::vector<std::string> claims;  // of the disks that are captured
  std::optional<Wall> from;         // the guest was frozen no earlier; nullopt: not known
  std::optional<Wall> until;        // and no later; nullopt: it is still frozen, or will be
};

// Harvester writes the names of the snapshots before it freezes for the first of them.
[[nodiscard]] inline bool never_froze(const kube::BackupView& backup) {
  return backup.snapshot_names.empty() && !backup.harvester_froze;
}

// Whether Harvester may freeze for the backup again: it is not ready, a snapshot that it names does not exist
// (`exists`), and Harvester got far enough to freeze for it.
template <class Exists>
[[nodiscard]] bool freezes_again(const kube::BackupView& backup, const Exists& exists) {
  if (backup.complete() || never_froze(backup)) return false;
  return backup.snapshot_names.empty() ||
         !std::all_of(backup.snapshot_names.begin(), backup.snapshot_names.end(), exists);
}

// For a backup that has these snapshots. `frozen_for`: the value of its annotation, "" when there is none.
[[nodiscard]] Spoiled spoiled_backup(std::string vm, std::string backup_uid, std::span<const MadeSnapshot> snapshots,
                                     const std::string& frozen_for);

// Each function below returns one phrase for each object that it finds, such as "backup old, created at ...".

// Harvester backups of the same VM that may have frozen the guest with their own timer: they were created, made a
// snapshot or wrote an error at a time that counts, or they are in error and will be retried.
[[nodiscard]] std::vector<std::string> other_backups(const Spoiled& spoiled, const Others& others);

// Harvester backups of the VM that are in error and whose snapshots do not all exist. Harvester retries them whenever
// it restarts, and in bursts. Each attempt freezes the guest.
[[nodiscard]] std::vector<std::string> backups_to_be_retried(const Spoiled& spoiled, const Others& others);

// KubeVirt's own snapshots and backups of the VM that were active: their end thaws the guest.
[[nodiscard]] std::vector<std::string> kubevirt_freezers(const Spoiled& spoiled, const Others& others);

// Other running VMs and pods that have one of the claims.
[[nodiscard]] std::vector<std::string> disk_users(const Spoiled& spoiled, const Others& others);

// The owners of claims that the VM does not have.
[[nodiscard]] std::vector<std::string> owners_of_foreign_disks(const Spoiled& spoiled, const Others& others);

// What must be read to name what caused a reason (freeze/reasons.h).
struct Wanted {
  bool backups = false;   // and snapshots
  bool kubevirt = false;  // snapshots and backups
  bool disks = false;     // VMs, VMIs and pods

  void add(std::string_view reason);
  [[nodiscard]] bool any() const { return backups || kubevirt || disks; }
};

// What caused the reason. If something must have caused it and nothing is found, a phrase says that it is gone.
[[nodiscard]] std::vector<std::string> spoilers_of(std::string_view reason, const Spoiled& spoiled,
                                                   const Others& others);

}  // namespace snapfreeze::cli
