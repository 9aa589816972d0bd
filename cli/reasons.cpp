#include "cli/reasons.h"

#include <algorithm>
#include <array>

#include "freeze/names.h"

namespace snapfreeze::cli {
namespace {

namespace reason = freeze::reason;

constexpr auto kReasons = std::to_array<ReasonText>({
    {reason::kNoAgent, "the guest agent is not connected", "install and start `qemu-guest-agent` in the guest"},
    {reason::kNotRunning, "the VM has an instance that is not Running", ""},
    {reason::kPaused, "a freeze would hang or be refused", "take the backup again later"},
    {reason::kMigrating, "a freeze would hang or be refused", "take the backup again later"},
    {reason::kBeingDeleted, "a freeze would hang or be refused", "take the backup again later"},
    {reason::kSkipped, "opted out by annotation `skip`", ""},
    {reason::kSnapshotInProgress, "KubeVirt takes a snapshot of the VM, with a freeze of its own",
     "take the backup again later"},
    {reason::kFrozenByOther, "somebody else has frozen the guest",
     "look for Velero hooks or `virt-freezer --freeze` by hand"},
    {reason::kLate,
     "a disk of this backup was admitted without us: the webhook was down, or the session was over already",
     "take it again"},
    {reason::kDuplicate, "this very snapshot existed already when it was created again", "none: the first one counts"},
    {reason::kCoolDown, "the guest rests for a minute after a session that went wrong", "take it again later"},
    {reason::kBusy, "too many freezes at once in this replica", "spread the schedules"},
    {reason::kNoSweeper, "nobody would thaw the guest: no sweeper leads", "look at the sweeper's pods and log"},
    {reason::kNoTime, "the guest, or another session of it, took longer than the admission may",
     "raise `timeoutSeconds` of the webhook"},
    {reason::kApiError, "the API server did not answer, or refused", "look at the webhook's log"},
    {reason::kFreezeFailed, "KubeVirt or the guest agent failed to freeze",
     "look at the guest agent's log; SELinux in the guest is a frequent cause"},
    {reason::kNotPermitted, "who created the snapshot may not freeze that VM",
     "grant `update virtualmachineinstances/freeze`"},
    {reason::kUnknownBackup, "the owner reference does not fit the backup it names",
     "none: it was not made by Harvester"},
    {reason::kNotAMember, "the owner reference does not fit the backup it names", "none: it was not made by Harvester"},
    {reason::kBackupComplete, "the owner reference does not fit the backup it names",
     "none: it was not made by Harvester"},
    {reason::kNoVm, "no VM is named, and no running one mounts the claim", "set the annotation `vm`"},
    {reason::kInvalidMembers, "the annotation `members` is not a count of snapshots",
     "write a count from 1 to 1000, such as `\"3\"`"},
    {reason::kObserve, "nothing was to be touched", ""},
    {reason::kDryRun, "nothing was to be touched", ""},
    {reason::kCutTooLate,
     "a disk was captured after the thaw, or too late to be sure that it was before; with slow storage, raise T", ""},
    {reason::kNotCaptured, "a disk was not captured at all while the guest was frozen", ""},
    {reason::kMissing, "a snapshot of the backup never came", ""},
    {reason::kDeleted, "a snapshot or the backup was deleted meanwhile", ""},
    {reason::kLapsed, "the guest reported that it was thawed while we held it", ""},
    {reason::kAgentLost, "the guest agent disconnected while we held the guest, which may have been reset", ""},
    {reason::kHarvesterTimer, "our begin took so long that Harvester's own timer may have fired into it", ""},
    {reason::kOtherBackup, "another backup of the same VM may have slipped in its own freeze, with its short timer",
     ""},
    {reason::kKubevirtSnapshot, "a snapshot of KubeVirt's own was active, whose end thaws the guest", ""},
    {reason::kMigrated, "the guest moved to another node, was restarted, or is gone", ""},
    {reason::kRestarted, "the guest moved to another node, was restarted, or is gone", ""},
    {reason::kThawedByHand, "an admin thawed the guest with `snapfreeze thaw` while we held it", ""},
    {reason::kWindowsLimit, "Windows' VSS gave up after 10 s", ""},
    {reason::kThawUnsettled, "the thaw was never confirmed, or a lost reply may have been Windows' error", ""},
    {reason::kAbandoned, "the webhook died while it froze the guest", ""},
    {reason::kSessionLost, "the session's Lease was deleted or edited by hand", ""},
    {reason::kRecordDamaged, "the session's Lease was deleted or edited by hand", ""},
    {reason::kRescued, "another program had left the guest frozen, and the sweeper thawed it", ""},
    {reason::kUnverified, "the sweeper could not look whether somebody else had frozen or thawed the guest", ""},
    {reason::kStarted, "the VM was not running at first, but was started before the last capture", ""},
});

}  // namespace

std::span<const ReasonText> all_reasons() {
  return kReasons;
}

std::string explain_reason(std::string_view name) {
  const auto found =
      std::find_if(kReasons.begin(), kReasons.end(), [&](const ReasonText& text) { return text.name == name; });
  if (found == kReasons.end()) return std::string(name);
  std::string words = std::string(name) + ": " + std::string(found->meaning);
  if (!found->remedy.empty()) words += " (" + std::string(found->remedy) + ")";
  return words;
}

}  // namespace snapfreeze::cli
