#include "cli/shared/spoilers_reads.h"

#include "cli/shared/lists.h"
#include "kube/paths.h"

namespace snapfreeze::cli {
namespace {

class Reading {
 public:
  Reading(kube::KubeApi& api, const std::string& ns) : api_(api), namespace_(ns) {}

  template <class View>
  void take_views(const kube::Resource& resource, std::vector<View>& into) {
    take(list_views<View>(api_, resource, namespace_), into);
  }

  void take_freezers(const kube::Resource& resource, freeze::Freezer (*read)(const Json&),
                     std::vector<freeze::Freezer>& into) {
    const auto project = [read](const Json& object) { return std::optional<freeze::Freezer>(read(object)); };
    take(list_some<freeze::Freezer>(api_, resource, namespace_, project), into);
  }

  void take_snapshots(std::vector<MadeSnapshot>& into) {
    const auto project = [](const Json& object) {
      return std::optional<MadeSnapshot>(MadeSnapshot::from(kube::SnapshotView::from(object)));
    };
    take(list_some<MadeSnapshot>(api_, kube::kVolumeSnapshots, namespace_, project), into);
  }

  std::vector<std::string> unseen;

 private:
  template <class Item>
  void take(Result<std::vector<Item>> found, std::vector<Item>& into) {
    if (!found) return unseen.push_back(found.error().message);
    into = std::move(*found);
  }

  kube::KubeApi& api_;
  const std::string& namespace_;
};

}  // namespace

Others read_others(kube::KubeApi& api, const std::string& ns, const Wanted& wanted) {
  Others others;
  Reading reading(api, ns);
  if (wanted.backups) {
    reading.take_views(kube::kHarvesterBackups, others.backups);
    reading.take_snapshots(others.snapshots);
  }
  if (wanted.kubevirt) {
    reading.take_freezers(kube::kKubeVirtSnapshots, freeze::kubevirt_snapshot, others.kubevirt_snapshots);
    reading.take_freezers(kube::kKubeVirtBackups, freeze::kubevirt_backup, others.kubevirt_backups);
  }
  if (wanted.disks) {
    reading.take_views(kube::kVirtualMachineInstances, others.vmis);
    reading.take_views(kube::kVirtualMachines, others.vms);
    reading.take_views(kube::kPods, others.pods);
  }
  others.unseen = std::move(reading.unseen);
  return others;
}

}  // namespace snapfreeze::cli
