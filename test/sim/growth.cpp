#include "test/sim/growth.h"

#include <algorithm>
#include <set>

#include "test/double/api/part.h"
#include "test/sim/findings.h"
#include "test/sim/sweeper_process.h"

namespace sim {
namespace {

using cluster::Json;
using cluster::part;

std::vector<cluster::ObjectRef> all(History& history, const char* group, const char* resource) {
  return history.cluster.locked([&] {
    cluster::Store& store = history.cluster.store();
    return store.all(store.resources().at(group, resource));
  });
}

// The VolumeSnapshots that an object still speaks of: itself, its content, or Longhorn's own.
std::set<std::string> spoken_of(History& history) {
  std::set<std::string> uids;
  for (const auto& one : all(history, "snapshot.storage.k8s.io", "volumesnapshots")) {
    uids.insert(part(one->json, "metadata").value("uid", ""));
  }
  for (const auto& one : all(history, "snapshot.storage.k8s.io", "volumesnapshotcontents")) {
    uids.insert(part(part(one->json, "spec"), "volumeSnapshotRef").value("uid", ""));
  }
  for (const auto& one : all(history, "longhorn.io", "snapshots")) {
    const std::string name = part(one->json, "metadata").value("name", "");
    uids.insert(name.substr(name.find('-') + 1));
  }
  return uids;
}

bool is_judged(const Json& object) {
  const Json& annotations = part(part(object, "metadata"), "annotations");
  return annotations.is_object() && annotations.contains("snapfreeze.harvesterhci.io/consistency");
}

// They may be thousands, and must cost nothing. One waits for its verdict, or for that of its backup.
std::size_t unfinished_snapshots(History& history) {
  std::set<std::string> waiting;
  for (const auto& backup : all(history, "harvesterhci.io", "virtualmachinebackups")) {
    if (!is_judged(backup->json)) waiting.insert(part(backup->json, "metadata").value("uid", ""));
  }
  std::size_t count = 0;
  for (const auto& snapshot : all(history, "snapshot.storage.k8s.io", "volumesnapshots")) {
    bool waits = !is_judged(snapshot->json);
    for (const Json& owner : part(part(snapshot->json, "metadata"), "ownerReferences")) {
      waits = waits || waiting.contains(owner.value("uid", ""));
    }
    count += waits ? 1 : 0;
  }
  return count;
}

class Growth : Findings {
 public:
  using Findings::Findings;

  std::vector<std::string> broken() {
    for (const char* name : {"sweeper-0", "sweeper-1", "webhook-0", "webhook-1"}) {
      if (!history_.installation.process(name).fibers.alive()) fail(11, std::string(name) + " is dead at the end");
    }
    // What an etcd has forgotten that was restored, no watch says.
    if (!history_.restored) sweepers_are_small();
    return std::move(broken_);
  }

 private:
  void sweepers_are_small();
};

void Growth::sweepers_are_small() {
  const std::size_t leases = history_.names("coordination.k8s.io", "leases", kOwnNamespace).size();
  const std::size_t vmis = all(history_, "kubevirt.io", "virtualmachineinstances").size();
  const std::size_t backups = history_.names("harvesterhci.io", "virtualmachinebackups", kNamespace).size();
  const std::size_t snapshots = history_.names("snapshot.storage.k8s.io", "volumesnapshots", kNamespace).size();
  const std::size_t cuts = spoken_of(history_).size();
  // Whoever edits a snapshot can make it look as if it waited for something for as long as it exists.
  const bool edited = !history_.edited_backups.empty() || !history_.edited_snapshots.empty();
  const std::size_t unfinished = edited ? snapshots : std::min(snapshots, unfinished_snapshots(history_));
  for (const std::string name : {"sweeper-0", "sweeper-1"}) {
    const auto& world = dynamic_cast<SweeperProcess&>(history_.installation.process(name)).core().world();
    const auto bound = [&](const char* what, std::size_t kept, std::size_t needed) {
      if (kept <= needed) return;
      fail(11, name + " remembers " + std::to_string(kept) + " " + what + ", and needs " + std::to_string(needed));
    };
    bound("sessions", world.sessions_kept(), leases);
    bound("VMIs", world.vmis_kept(), vmis);
    bound("backups", world.backups_kept(), backups);
    bound("captures", world.captures_kept(), cuts);
    bound("Longhorn volumes", world.volumes_kept(), cuts);
    bound("snapshots", world.snapshots_kept(), unfinished);
  }
}

}  // namespace

std::vector<std::string> broken_growth(History& history) {
  return Growth(history).broken();
}

}  // namespace sim
