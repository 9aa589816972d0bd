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
    kHarvester,  // its controller is a Harvester VirtualMachineBackup, which is not read yet
    kLabel,      // its creator set the label `backup`
  };
  Kind kind = Kind::kNotOurs;
  // The hold that its backup has, or would have, on the guest.
  Hold hold;
  std::string vm;  // label only: the annotation `vm`, or ""
};

// Not ours: imports of an existing snapshot (spec.source.volumeSnapshotContentName: restores, synced backups), and
// snapshots owned by KubeVirt's snapshots, volume groups or CDI's clones. Any owner of these kinds counts, since the
// owner of a volume group's members is not their controller. A Harvester backup is matched by API group and
// `controller: true`, as KubeVirt has a VirtualMachineBackup of its own. kMalformed: the annotation `members` is not a
// count from 1 to 1000.
Result<Claim> claim_of(const kube::SnapshotView& snapshot);

// Why a snapshot called `name`, which may be empty, is not one of `backup` although it claims to be: reason::
// kUnknownBackup, kBackupComplete or kNotAMember. "" when it is one.
[[nodiscard]] std::string_view refuse_claim(const Hold& hold, std::string_view name, const kube::BackupView& backup);

}  // namespace snapfreeze::freeze
