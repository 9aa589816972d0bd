// Who else freezes a VM or uses its disks: what spoils the verdicts of its backups, by name. Pure.
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

// A VolumeSnapshot that exists, as far as it tells when its backup was active, and of which disk it is.
struct MadeSnapshot {
  std::string name;
  std::string backup_uid;  // of the VirtualMachineBackup that controls it; "" when none does
  std::string claim;
  std::optional<Wall> created;

  static MadeSnapshot from(const kube::SnapshotView& view);
};

// Of one namespace. What was not asked for is empty.
struct Others {
  std::vector<kube::BackupView> backups;
  std::vector<MadeSnapshot> snapshots;
  std::vector<freeze::Freezer> kubevirt_snapshots;
  std::vector<freeze::Freezer> kubevirt_backups;
  std::vector<kube::VmiView> vmis;
  std::vector<kube::VmView> vms;
  std::vector<kube::PodView> pods;
  std::vector<std::string> unseen;  // what could not be read, and why: one of them may be missing above
};

// Whose verdict it is about.
struct Spoiled {
  std::string vm;
  std::string backup_uid;           // of Harvester's backup; "" for a label
  std::vector<std::string> claims;  // of the disks that are captured
  std::optional<Wall> from;         // the guest was frozen no earlier; nullopt: not known
  std::optional<Wall> until;        // and no later; nullopt: it is frozen still, or will be
};

// Harvester writes the names of the snapshots before it freezes for the first of them.
[[nodiscard]] inline bool never_froze(const kube::BackupView& backup) {
  return backup.snapshot_names.empty() && !backup.harvester_froze;
}

// Whether Harvester may freeze for the backup once more: it is not ready, some snapshot that it names is not there
// (`exists`), and it came so far as to freeze at all.
template <class Exists>
[[nodiscard]] bool freezes_again(const kube::BackupView& backup, const Exists& exists) {
  if (backup.complete() || never_froze(backup)) return false;
  return backup.snapshot_names.empty() ||
         !std::all_of(backup.snapshot_names.begin(), backup.snapshot_names.end(), exists);
}

// Of a backup that has these snapshots. `frozen_for` as its annotation says, "" when nothing is known of it.
[[nodiscard]] Spoiled spoiled_backup(std::string vm, std::string backup_uid, std::span<const MadeSnapshot> snapshots,
                                     const std::string& frozen_for);

// Each function below returns one phrase for each that it finds, such as "backup old, created at ...".

// Harvester backups of the same VM that may have frozen the guest with their own timer (design: "other backups"): they
// were created, made a snapshot or wrote an error at a time that counts, or are in error and are tried again.
[[nodiscard]] std::vector<std::string> other_backups(const Spoiled& spoiled, const Others& others);

// Harvester backups of the VM that are in error and whose snapshots do not all exist. Harvester tries them again
// whenever it restarts, and in bursts. Each attempt freezes the guest.
[[nodiscard]] std::vector<std::string> backups_to_be_retried(const Spoiled& spoiled, const Others& others);

// KubeVirt's own snapshots and backups of the VM that were active: their end thaws the guest.
[[nodiscard]] std::vector<std::string> kubevirt_freezers(const Spoiled& spoiled, const Others& others);

// Other VMs and pods that have one of the claims and run.
[[nodiscard]] std::vector<std::string> disk_users(const Spoiled& spoiled, const Others& others);

// Of claims that the VM does not have: whose they are.
[[nodiscard]] std::vector<std::string> owners_of_foreign_disks(const Spoiled& spoiled, const Others& others);

// What must be read to name what is behind a reason (freeze/reasons.h).
struct Wanted {
  bool backups = false;   // and snapshots
  bool kubevirt = false;  // snapshots and backups
  bool disks = false;     // VMs, VMIs and pods

  void add(std::string_view reason);
  [[nodiscard]] bool any() const { return backups || kubevirt || disks; }
};

// What is behind the reason. Where something must be and nothing is found, a phrase says that it is gone.
[[nodiscard]] std::vector<std::string> spoilers_of(std::string_view reason, const Spoiled& spoiled,
                                                   const Others& others);

}  // namespace snapfreeze::cli
