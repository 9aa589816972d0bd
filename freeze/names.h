// Every label, annotation and reason that snapfreeze writes. Admins select by them; tests and docs name them.
#pragma once

#include <string_view>

namespace snapfreeze::freeze {

// On VolumeSnapshots.
inline constexpr char kEpochLabel[] = "snapfreeze.harvesterhci.io/epoch";    // Lease uid, "offline" or "none"
inline constexpr char kBackupLabel[] = "snapfreeze.harvesterhci.io/backup";  // set by whoever asks for a freeze
inline constexpr char kMembersAnnotation[] = "snapfreeze.harvesterhci.io/members";
inline constexpr char kVmAnnotation[] = "snapfreeze.harvesterhci.io/vm";
inline constexpr char kBackupAnnotation[] = "snapfreeze.harvesterhci.io/backup";  // a name may exceed a label's 63

// Verdict, on VolumeSnapshots and backups; consistency is also a label of the backup.
inline constexpr char kConsistency[] = "snapfreeze.harvesterhci.io/consistency";
inline constexpr char kReason[] = "snapfreeze.harvesterhci.io/reason";
inline constexpr char kFrozenFor[] = "snapfreeze.harvesterhci.io/frozen-for";

// On a VM, a VMI or a backup.
inline constexpr char kSkipAnnotation[] = "snapfreeze.harvesterhci.io/skip";

// Harvester's own: it has frozen (or not) for this backup.
inline constexpr char kHarvesterFreezeAnnotation[] = "harvesterhci.io/snapshotFreezeFS";

// The Lease, in snapfreeze's own namespace, by which sweepers elect their leader and webhooks know that one is alive.
inline constexpr char kLeaderLease[] = "snapfreeze-sweeper";

// Values of kEpochLabel where there is no session.
inline constexpr char kEpochNone[] = "none";
inline constexpr char kEpochOffline[] = "offline";

// Reasons not to freeze, decided at admission.
namespace reason {
inline constexpr char kDryRun[] = "dry-run";
inline constexpr char kObserve[] = "observe";                 // --mode=observe touches no guest
inline constexpr char kUnknownBackup[] = "unknown-backup";    // owner absent, or its uid differs: a copied reference
inline constexpr char kBackupComplete[] = "backup-complete";  // nothing is added to a finished backup
inline constexpr char kNotAMember[] = "not-a-member";         // not in status.volumeBackups
inline constexpr char kNotPermitted[] = "not-permitted";      // the user may not freeze that VM
inline constexpr char kInvalidMembers[] = "invalid-members";  // label path: annotation members is not a count
inline constexpr char kNoVm[] = "no-vm";                      // label path: no VM named, none mounts the claim
inline constexpr char kNotRunning[] = "not-running";
inline constexpr char kNoAgent[] = "no-agent";
inline constexpr char kPaused[] = "paused";
inline constexpr char kMigrating[] = "migrating";
inline constexpr char kBeingDeleted[] = "being-deleted";
inline constexpr char kSkipped[] = "skipped";                          // opted out
inline constexpr char kSnapshotInProgress[] = "snapshot-in-progress";  // KubeVirt's own, with its own freeze
inline constexpr char kFrozenByOther[] = "frozen-by-other";
inline constexpr char kLate[] = "late";            // a disk of this backup was admitted without us
inline constexpr char kDuplicate[] = "duplicate";  // this very snapshot exists already
inline constexpr char kCoolDown[] = "cool-down";
inline constexpr char kBusy[] = "busy";
inline constexpr char kNoSweeper[] = "no-sweeper";
inline constexpr char kNoTime[] = "no-time";  // the admission's budget is used up
inline constexpr char kApiError[] = "api-error";

// Doubts about a session, found at any time: each of them turns every snapshot of it into "crash".
inline constexpr char kFreezeFailed[] = "freeze-failed";
inline constexpr char kAbandoned[] = "abandoned";             // the admission never finished
inline constexpr char kHarvesterTimer[] = "harvester-timer";  // Harvester's own timer may have fired into our begin
inline constexpr char kLapsed[] = "lapsed";                   // the guest reported thawed while we held it
inline constexpr char kAgentLost[] = "agent-lost";            // it disconnected while we held the guest: a reset?
inline constexpr char kMigrated[] = "migrated";
inline constexpr char kThawedByHand[] = "thawed-by-hand";  // by `snapfreeze thaw`
inline constexpr char kRestarted[] = "restarted";          // another VMI, or none, by now
inline constexpr char kThawUnsettled[] = "thaw-unsettled";
inline constexpr char kWindowsLimit[] = "windows-limit";  // VSS gave up at 10 s
inline constexpr char kKubevirtSnapshot[] = "kubevirt-snapshot";
inline constexpr char kOtherBackup[] = "other-backup";      // its freeze, with its timer, may be the one that held
inline constexpr char kRecordDamaged[] = "record-damaged";  // the Lease was edited by hand
inline constexpr char kRescued[] = "rescued";               // another program had left the guest frozen
inline constexpr char kUnverified[] = "unverified";         // the look for other freezers failed

// Why one snapshot, or a backup, is not consistent although the session is.
inline constexpr char kCutTooLate[] = "cut-too-late";  // captured, but not provably before the thaw
inline constexpr char kNotCaptured[] = "not-captured";
inline constexpr char kDeleted[] = "deleted";
inline constexpr char kMissing[] = "missing";           // a member that never came
inline constexpr char kSessionLost[] = "session-lost";  // its epoch is no session that lives
inline constexpr char kStarted[] = "started";           // offline at first, but the VM started before the cut

// All of them; what stands in an annotation may be anything.
inline constexpr std::string_view kAll[] = {
    kDryRun,         kObserve,        kUnknownBackup,
    kBackupComplete, kNotAMember,     kNotPermitted,
    kInvalidMembers, kNoVm,           kNotRunning,
    kNoAgent,        kPaused,         kMigrating,
    kBeingDeleted,   kSkipped,        kSnapshotInProgress,
    kFrozenByOther,  kLate,           kDuplicate,
    kCoolDown,       kBusy,           kNoSweeper,
    kNoTime,         kApiError,       kFreezeFailed,
    kAbandoned,      kHarvesterTimer, kLapsed,
    kAgentLost,      kMigrated,       kRestarted,
    kThawUnsettled,  kWindowsLimit,   kKubevirtSnapshot,
    kOtherBackup,    kRecordDamaged,  kRescued,
    kUnverified,     kCutTooLate,     kNotCaptured,
    kDeleted,        kMissing,        kSessionLost,
    kStarted,        kThawedByHand,
};
}  // namespace reason

}  // namespace snapfreeze::freeze
