// Every label and annotation that snapfreeze reads or writes. Admins select by them; tests and docs name them.
#pragma once

#include <array>

#include "freeze/reasons.h"  // IWYU pragma: export

namespace snapfreeze::freeze {

// On VolumeSnapshots.
inline constexpr char kEpochLabel[] = "snapfreeze.harvesterhci.io/epoch";    // Lease uid, "offline" or "none"
inline constexpr char kBackupLabel[] = "snapfreeze.harvesterhci.io/backup";  // set by whoever asks for a freeze
inline constexpr char kMembersAnnotation[] = "snapfreeze.harvesterhci.io/members";
inline constexpr char kVmAnnotation[] = "snapfreeze.harvesterhci.io/vm";
inline constexpr char kBackupAnnotation[] = "snapfreeze.harvesterhci.io/backup";  // a name may exceed a label's 63

// Verdict, on VolumeSnapshots and backups. Consistency and reason are labels, too: Harvester's UI shows labels, and
// objects are selected by them. Only the annotations are read.
inline constexpr char kConsistency[] = "snapfreeze.harvesterhci.io/consistency";
inline constexpr char kReason[] = "snapfreeze.harvesterhci.io/reason";
inline constexpr char kFrozenFor[] = "snapfreeze.harvesterhci.io/frozen-for";
// The uid of the object that a sweeper judged: an object made from the manifest of another one has its verdict, too.
inline constexpr char kVerdictOf[] = "snapfreeze.harvesterhci.io/verdict-of";
inline constexpr std::array kVerdictKeys{kConsistency, kReason, kFrozenFor};

// On a VM, a VMI or a backup.
inline constexpr char kSkipAnnotation[] = "snapfreeze.harvesterhci.io/skip";

// Harvester's own: whether it has frozen for this backup.
inline constexpr char kHarvesterFreezeAnnotation[] = "harvesterhci.io/snapshotFreezeFS";

// The Lease in snapfreeze's own namespace by which sweepers elect a leader, and webhooks know that one is alive.
inline constexpr char kLeaderLease[] = "snapfreeze-sweeper";

// Values of kEpochLabel where there is no session.
inline constexpr char kEpochNone[] = "none";
inline constexpr char kEpochOffline[] = "offline";

}  // namespace snapfreeze::freeze
