#include "freeze/backup.h"

#include <algorithm>

#include "base/number.h"
#include "freeze/names.h"
#include "kube/paths.h"

namespace snapfreeze::freeze {
namespace {

// Owners that freeze the guest themselves, or that need no frozen guest.
bool owned_by_others(const kube::OwnerReference& owner) {
  return owner.is("snapshot.kubevirt.io", "VirtualMachineSnapshotContent") ||
         owner.is("groupsnapshot.storage.k8s.io", "VolumeGroupSnapshot") || owner.is("cdi.kubevirt.io", "DataVolume");
}

Result<int> member_count(const std::string& text) {
  if (text.empty()) return 0;
  const auto count = whole_number<int>(text);
  if (!count || *count < 1 || *count > kMaxMembers) {
    return Error{Code::kMalformed, std::string("metadata.annotations[") + kMembersAnnotation +
                                       "]: must be a count of snapshots from 1 to 1000, such as \"3\""};
  }
  return *count;
}

}  // namespace

Result<Claim> claim_of(const kube::SnapshotView& snapshot) {
  const kube::Metadata& meta = snapshot.metadata;
  if (!snapshot.source_content.empty()) return Claim{};
  for (const kube::OwnerReference& owner : meta.owner_references) {
    if (owned_by_others(owner)) return Claim{};
  }
  const kube::OwnerReference* controller = meta.controller();
  if (controller != nullptr && controller->is(kube::kHarvesterBackups.group, kube::kHarvesterBackups.kind)) {
    return Claim{Claim::Kind::kHarvester, {Hold::Kind::kHarvester, controller->name, controller->uid, 0}, ""};
  }
  const std::string& label = meta.label(kBackupLabel);
  if (label.empty()) return Claim{};
  const auto members = member_count(meta.annotation(kMembersAnnotation));
  if (!members) return members.error();
  return Claim{Claim::Kind::kLabel, {Hold::Kind::kLabel, label, "", *members}, meta.annotation(kVmAnnotation)};
}

Reason refuse_claim(const Hold& hold, std::string_view name, const kube::BackupView& backup) {
  if (backup.metadata.uid.empty() || backup.metadata.uid != hold.uid) return reason::kUnknownBackup;
  if (backup.complete()) return reason::kBackupComplete;
  const auto& names = backup.snapshot_names;
  if (name.empty() || std::find(names.begin(), names.end(), name) == names.end()) return reason::kNotAMember;
  return {};
}

}  // namespace snapfreeze::freeze
