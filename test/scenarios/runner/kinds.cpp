#include "test/scenarios/runner/kinds.h"

#include <algorithm>

namespace runner {

const std::vector<KindWord>& kind_words() {
  static const std::vector<KindWord> kWords = {
      {"vms", "virtualmachines", "kubevirt.io/v1/virtualmachines", "VirtualMachine"},
      {"vmis", "virtualmachineinstances", "kubevirt.io/v1/virtualmachineinstances", "VirtualMachineInstance"},
      {"pods", "pods", "v1/pods", "Pod"},
      {"claims", "persistentvolumeclaims", "v1/persistentvolumeclaims", "PersistentVolumeClaim"},
      {"snapshots", "volumesnapshots", "snapshot.storage.k8s.io/v1/volumesnapshots", "VolumeSnapshot"},
      {"contents", "volumesnapshotcontents", "snapshot.storage.k8s.io/v1/volumesnapshotcontents",
       "VolumeSnapshotContent", false},
      {"longhorn", "longhornsnapshots", "longhorn.io/v1beta2/snapshots", "Snapshot"},
      {"backups", "virtualmachinebackups", "harvesterhci.io/v1beta1/virtualmachinebackups", "VirtualMachineBackup"},
      {"leases", "leases", "coordination.k8s.io/v1/leases", "Lease"},
      {"vm-snapshots", "virtualmachinesnapshots", "snapshot.kubevirt.io/v1beta1/virtualmachinesnapshots",
       "VirtualMachineSnapshot"},
      {"kubevirt-backups", "kubevirtbackups", "backup.kubevirt.io/v1alpha1/virtualmachinebackups",
       "VirtualMachineBackup"},
      {"kubevirt-trackers", "kubevirttrackers", "backup.kubevirt.io/v1alpha1/virtualmachinebackuptrackers",
       "VirtualMachineBackupTracker"},
  };
  return kWords;
}

const KindWord* find_kind(const std::string& word) {
  const auto& words = kind_words();
  const auto found = std::find_if(words.begin(), words.end(), [&](const KindWord& kind) {
    return word == kind.word || word == kind.plural || word + "s" == kind.word;
  });
  return found == words.end() ? nullptr : &*found;
}

ObjectName parse_object_name(const std::string& text) {
  ObjectName found;
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) return found;
  const KindWord* const kind = find_kind(text.substr(0, slash));
  if (kind == nullptr) return found;
  found.name = text.substr(slash + 1);
  if (kind->namespaced) {
    // The name may hold a placeholder, which has slashes of its own.
    const std::size_t second = found.name.find('/');
    if (second == std::string::npos) return found;
    found.ns = found.name.substr(0, second);
    found.name.erase(0, second + 1);
  }
  if (!found.name.empty() && (!found.ns.empty() || !kind->namespaced)) found.kind = kind;
  return found;
}

}  // namespace runner
