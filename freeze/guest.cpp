#include "freeze/guest.h"

#include "freeze/names.h"

namespace snapfreeze::freeze {

bool opted_out(const kube::Metadata& metadata) {
  return metadata.annotation(kSkipAnnotation) == "true";
}

Reason reason_not_to_freeze(const kube::VmiView& vmi, const std::optional<kube::VmView>& vm) {
  if (opted_out(vmi.metadata) || (vm && opted_out(vm->metadata))) return reason::kSkipped;
  if (vmi.metadata.deleting) return reason::kBeingDeleted;
  if (!vmi.running()) return reason::kNotRunning;
  if (vmi.paused) return reason::kPaused;
  if (vmi.migrating()) return reason::kMigrating;
  if (!vmi.agent_connected) return reason::kNoAgent;
  if (kubevirt_freezes(vmi, vm)) return reason::kSnapshotInProgress;
  return {};
}

bool kubevirt_freezes(const kube::VmiView& vmi, const std::optional<kube::VmView>& vm) {
  return !vmi.backup_in_progress.empty() || (vm && !vm->snapshot_in_progress.empty());
}

}  // namespace snapfreeze::freeze
