// Why a snapshot or a backup is not consistent: one table, from which the constants, the command line's explanations
// and the check of docs/reasons.md are made.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <string_view>

namespace snapfreeze::freeze {

struct ReasonEntry {
  const char* name;     // as it stands in annotations, labels and metrics
  const char* meaning;  // one phrase for an admin
  const char* remedy;   // "" when there is none
  // As a doubt about a session: the guest rests after it, so that a backup that is retried cannot stun it in a loop.
  bool rests = false;
};

inline constexpr auto kReasons = std::to_array<ReasonEntry>({
    // Decided at admission: the guest is not frozen.
    {"no-agent", "the guest agent is not connected", "install and start `qemu-guest-agent` in the guest"},
    {"not-running", "the VM has an instance that is not Running", ""},
    {"paused", "a freeze would hang or be refused", "take the backup again later"},
    {"migrating", "a freeze would hang or be refused", "take the backup again later"},
    {"being-deleted", "a freeze would hang or be refused", "take the backup again later"},
    {"skipped", "opted out by annotation `skip`", ""},
    {"snapshot-in-progress", "KubeVirt takes a snapshot or a backup of the VM, with a freeze of its own",
     "take the backup again later"},
    {"frozen-by-other", "somebody else has frozen the guest",
     "look for Velero hooks or `virt-freezer --freeze` by hand"},
    {"not-its-disk",
     "the snapshot is of a claim that is not a disk of this VM, or was not one when its guest was frozen",
     "set the annotation `vm` to the disk's own VM"},
    {"late",
     "a disk of this backup was admitted when no session held the guest for it: the webhook was down for an earlier "
     "disk, the session was over, or a snapshot with the same label was made shortly before",
     "take the backup again; a labelled one with another value, or later"},
    {"duplicate", "this very snapshot existed already when it was created again", "none: the first one counts"},
    {"cool-down", "the guest rests for a minute after a session that went wrong", "take the backup again later"},
    {"busy", "too many freezes at once in this replica, or too many searches for a VM",
     "spread the schedules, and name the VM"},
    {"no-sweeper", "nobody would thaw the guest: no sweeper leads", "look at the sweeper's pods and log"},
    {"no-time", "the API server, or an earlier freeze of the guest, took longer than the admission may",
     "raise `timeoutSeconds` of the webhook, or find out why they are slow"},
    {"held", "another backup held the guest, or its thaw was not confirmed yet", "take the backups at different times"},
    {"newer-format", "a newer version of snapfreeze has a session of this guest, which this version leaves alone",
     "finish the upgrade; see the runbook of the alert `SnapfreezeNewerSession`"},
    {"api-error", "the API server did not answer, or refused", "look at the webhook's log"},
    {"freeze-failed", "KubeVirt or the guest agent failed to freeze, or took longer than the admission may",
     "look at the guest agent's log; SELinux in the guest is a frequent cause"},
    {"not-permitted", "the user who created the snapshot may not freeze that VM, or not every VM, if none is named",
     "grant `update virtualmachineinstances/freeze`, or set the annotation `vm`"},
    {"unknown-backup", "the owner reference does not fit the backup it names", "none: it was not made by Harvester"},
    {"not-a-member", "the owner reference does not fit the backup it names", "none: it was not made by Harvester"},
    {"backup-complete", "the owner reference does not fit the backup it names", "none: it was not made by Harvester"},
    {"no-vm", "no VM is named, and no running one mounts the claim; or the VM does not exist",
     "set the annotation `vm`"},
    {"invalid-members", "the annotation `members` is not a count of snapshots",
     "write a count from 1 to 1000, such as `\"3\"`"},
    {"observe", "no guest was to be touched", ""},
    {"dry-run", "no guest was to be touched", ""},

    // The guest was frozen, but it proves nothing.
    {"cut-too-late", "a disk was captured after the thaw, or too late to be sure that it was before",
     "with slow storage, raise T"},
    {"not-confirmed",
     "Longhorn's own API said that a disk was cut, so the guest was thawed, but no object of the Kubernetes API told "
     "of "
     "that very cut afterwards",
     "take the backup again; if it happens often, look at the log of Longhorn's manager, or set `longhorn.url` to "
     "\"\""},
    {"not-captured", "a disk was not captured at all while the guest was frozen",
     "with slow storage, raise T; if many disks were cut at once, spread the schedules; otherwise look at "
     "`status.error` of the snapshot"},
    {"snapshot-error", "the storage driver refused a disk again and again, so the guest was released",
     "look at `status.error` of the snapshot"},
    {"missing",
     "a snapshot of the backup had not come when the backup was judged; if it came later, it was made without a freeze",
     "find out why it came late or never: `status.error` of the backup, a quota, a full disk"},
    {"deleted", "a snapshot or the backup was deleted before it was judged", ""},
    {"shared-disk", "another running VM or pod uses the disk and was not frozen",
     "stop it during the backup; `snapfreeze explain` names it"},
    {"lapsed", "the guest reported that it was thawed while we held it",
     "look for whoever thaws it: Velero's hooks, `virt-freezer --unfreeze` by hand", true},
    {"agent-lost", "the guest agent disconnected while we held the guest, which may have been reset", "", true},
    {"harvester-timer",
     "the admission was slow to begin, so Harvester's own freeze of 1 s may have thawed the guest in the middle of "
     "ours",
     "check whether the API server or the nodes are overloaded"},
    {"other-backup",
     "another backup of the same VM may have frozen the guest first, with a timer of its own or half-way",
     "`snapfreeze explain` names it: take it at another time, or delete it if it is in error"},
    {"kubevirt-snapshot", "a snapshot or a backup of KubeVirt's own was active, whose end thaws the guest",
     "take the backup at another time; `snapfreeze explain` names it"},
    {"migrated", "the guest moved to another node, was restarted, or is gone", ""},
    {"restarted", "the guest moved to another node, was restarted, or is gone", ""},
    {"thawed-by-hand", "an admin thawed the guest with `snapfreeze thaw` while we held it", ""},
    {"windows-limit", "Windows' VSS gave up after 10 s", "", true},
    {"thaw-unsettled", "the thaw was never confirmed, or what Windows said of it may be lost", ""},
    {"abandoned", "the webhook died while it froze the guest", ""},
    {"session-lost", "the session's Lease was deleted or edited by hand", ""},
    {"record-damaged", "the session's Lease was deleted or edited by hand", ""},
    {"undone", "Harvester's own freeze was undone, because its snapshot could not be held", ""},
    {"rescued", "another program had left the guest frozen, and the sweeper thawed it", ""},
    {"unverified", "the sweeper could not make sure that nobody else froze or thawed the guest",
     "look at the sweeper's log: an object that it must read was refused, or did not come"},
    {"started", "the VM was not running at first, but was started before the last capture", ""},
});

// An entry of the table, or none; no larger than a pointer. A reason travels as one of these: only JSON, the log and
// the metrics have its name.
class Reason {
 public:
  constexpr Reason() = default;  // none

  // None: not a name of the table.
  static constexpr Reason named(std::string_view name) {
    const auto* found =
        std::find_if(kReasons.begin(), kReasons.end(), [&](const ReasonEntry& entry) { return name == entry.name; });
    return found == kReasons.end() ? Reason() : Reason(*found);
  }

  // As it stands in an annotation, where a tenant may write anything: a name that is not in the table is "unverified".
  static constexpr Reason read(std::string_view name) {
    const Reason found = named(name);
    return found ? found : named("unverified");
  }

  // Each is "" of none.
  [[nodiscard]] constexpr std::string_view name() const { return entry_ == nullptr ? "" : entry_->name; }
  [[nodiscard]] constexpr std::string_view meaning() const { return entry_ == nullptr ? "" : entry_->meaning; }
  [[nodiscard]] constexpr std::string_view remedy() const { return entry_ == nullptr ? "" : entry_->remedy; }
  [[nodiscard]] constexpr bool rests() const { return entry_ != nullptr && entry_->rests; }

  constexpr explicit operator bool() const { return entry_ != nullptr; }
  constexpr bool operator==(const Reason&) const = default;
  constexpr auto operator<=>(const Reason&) const = default;
  // With a name as it stands somewhere.
  friend constexpr bool operator==(const Reason& reason, std::string_view name) { return reason.name() == name; }

 private:
  constexpr explicit Reason(const ReasonEntry& entry) : entry_(&entry) {}

  const ReasonEntry* entry_ = nullptr;
};

namespace reason {

// One that is missing in the table does not compile.
consteval Reason listed(std::string_view name) {
  const Reason found = Reason::named(name);
  if (!found) throw "no such reason";
  return found;
}

// Reasons not to freeze, decided at admission.
inline constexpr Reason kDryRun = listed("dry-run");
inline constexpr Reason kObserve = listed("observe");                 // --mode=observe touches no guest
inline constexpr Reason kUnknownBackup = listed("unknown-backup");    // owner absent, or its uid differs
inline constexpr Reason kBackupComplete = listed("backup-complete");  // nothing is added to a finished backup
inline constexpr Reason kNotAMember = listed("not-a-member");         // not in status.volumeBackups
inline constexpr Reason kNotPermitted = listed("not-permitted");      // the user may not freeze that VM
inline constexpr Reason kInvalidMembers = listed("invalid-members");  // label path: members is not a count
inline constexpr Reason kNoVm = listed("no-vm");                      // label path: no VM named, none mounts the claim
inline constexpr Reason kNotItsDisk = listed("not-its-disk");
inline constexpr Reason kNotRunning = listed("not-running");
inline constexpr Reason kNoAgent = listed("no-agent");
inline constexpr Reason kPaused = listed("paused");
inline constexpr Reason kMigrating = listed("migrating");
inline constexpr Reason kBeingDeleted = listed("being-deleted");
inline constexpr Reason kSkipped = listed("skipped");                          // opted out
inline constexpr Reason kSnapshotInProgress = listed("snapshot-in-progress");  // KubeVirt's own
inline constexpr Reason kFrozenByOther = listed("frozen-by-other");
inline constexpr Reason kLate = listed("late");            // a disk of this backup was admitted without us
inline constexpr Reason kDuplicate = listed("duplicate");  // this very snapshot exists already
inline constexpr Reason kCoolDown = listed("cool-down");
inline constexpr Reason kBusy = listed("busy");
inline constexpr Reason kNoSweeper = listed("no-sweeper");
inline constexpr Reason kNoTime = listed("no-time");  // the admission's budget is used up
inline constexpr Reason kHeld = listed("held");       // by a session that could not be joined
inline constexpr Reason kApiError = listed("api-error");
inline constexpr Reason kNewerFormat = listed("newer-format");

// Doubts about a session, found at any time: each of them turns every snapshot of it into "crash".
inline constexpr Reason kFreezeFailed = listed("freeze-failed");
inline constexpr Reason kAbandoned = listed("abandoned");             // the admission never finished
inline constexpr Reason kHarvesterTimer = listed("harvester-timer");  // may have fired into our begin
inline constexpr Reason kLapsed = listed("lapsed");                   // reported thawed while we held it
inline constexpr Reason kAgentLost = listed("agent-lost");            // while we held the guest: a reset?
inline constexpr Reason kMigrated = listed("migrated");
inline constexpr Reason kThawedByHand = listed("thawed-by-hand");  // by `snapfreeze thaw`
inline constexpr Reason kRestarted = listed("restarted");          // another VMI, or none, by now
inline constexpr Reason kThawUnsettled = listed("thaw-unsettled");
inline constexpr Reason kWindowsLimit = listed("windows-limit");  // VSS gave up at 10 s
inline constexpr Reason kKubevirtSnapshot = listed("kubevirt-snapshot");
inline constexpr Reason kOtherBackup = listed("other-backup");      // its freeze may be the one in force
inline constexpr Reason kRecordDamaged = listed("record-damaged");  // the Lease was edited by hand
inline constexpr Reason kUndone = listed("undone");                 // Harvester's freeze, for what we refused
inline constexpr Reason kRescued = listed("rescued");               // another program had left it frozen
inline constexpr Reason kUnverified = listed("unverified");         // what must be known could not be read

// Why one snapshot, or a backup, is not consistent although the session is.
inline constexpr Reason kCutTooLate = listed("cut-too-late");     // captured, but not provably before the thaw
inline constexpr Reason kNotConfirmed = listed("not-confirmed");  // Longhorn's live answer, by no API object
inline constexpr Reason kNotCaptured = listed("not-captured");
inline constexpr Reason kSnapshotError = listed("snapshot-error");  // the driver only says no
inline constexpr Reason kDeleted = listed("deleted");
inline constexpr Reason kMissing = listed("missing");           // a member that never came
inline constexpr Reason kSharedDisk = listed("shared-disk");    // somebody else writes it
inline constexpr Reason kSessionLost = listed("session-lost");  // its epoch is no session that lives
inline constexpr Reason kStarted = listed("started");           // offline at first, but started before the cut

}  // namespace reason

}  // namespace snapfreeze::freeze
