// Which VolumeSnapshots belong to a backup that snapfreeze holds a guest for. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "freeze/session.h"
#include "kube/views.h"

namespace snapfreeze::freeze {

struct Claim {
  enum class Kind {
    kNotOurs,    // pass through untouched
    kHarvester,  // its controller is a Harvester VirtualMachineBackup, still to be read
    kLabel,      // its creator set the label backup
  };
  Kind kind = Kind::kNotOurs;
  // The hold that its backup has, or would have, on the guest.
  Hold hold;
  std::string vm;  // label only: the annotation vm, or ""
};

// Not ours: imports of an existing snapshot (spec.source.volumeSnapshotContentName: restores, synced backups) and what
// KubeVirt's snapshots, volume groups and CDI's clones own, controlling or not (a volume group's members have an owner
// that does not). A Harvester backup is matched by API group and `controller: true`, as KubeVirt has a
// VirtualMachineBackup of its own. kMalformed: annotation members is not a count of 1 to 1000.
Result<Claim> claim_of(const kube::SnapshotView& snapshot);

// Why a snapshot called `name` (may be empty) does not count as `backup`'s, although it claims so: one of reason::
// kUnknownBackup, kBackupComplete, kNotAMember; "" when it counts.
[[nodiscard]] std::string_view refuse_claim(const Hold& hold, std::string_view name, const kube::BackupView& backup);

}  // namespace snapfreeze::freeze
