#include "sweeper/facts.h"

#include <array>

#include "freeze/backup.h"
#include "freeze/lease.h"
#include "freeze/names.h"
#include "kube/views.h"

namespace snapfreeze::sweeper {
namespace {

constexpr std::string_view kLonghornDriver = "driver.longhorn.io";
constexpr std::size_t kLongestVolume = 253;  // a volume of Longhorn's is an object of that name

Result<Facts> session_facts(const Json& object, ThawOn) {
  auto session = freeze::from_lease(object);
  if (!session) return session.error();
  return Facts(std::move(*session));
}

Result<Facts> snapshot_facts(const Json& object, ThawOn thaw_on) {
  const auto view = kube::SnapshotView::from(object);
  SnapshotFacts facts;
  facts.uid = view.metadata.uid;
  facts.namespace_ = view.metadata.namespace_;
  facts.name = view.metadata.name;
  facts.epoch = view.metadata.label(freeze::kEpochLabel);
  facts.vm = view.metadata.annotation(freeze::kVmAnnotation);
  facts.claim = view.source_pvc;
  facts.version = view.metadata.resource_version;
  const auto claim = freeze::claim_of(view);
  if (claim && claim->kind != freeze::Claim::Kind::kNotOurs) facts.hold = claim->hold;
  facts.created = view.metadata.creation_timestamp;
  facts.deleting = view.metadata.deleting;
  facts.untouched = view.untouched;
  facts.captured = thaw_on == ThawOn::kReady ? view.ready : view.captured;
  facts.cut = view.created;
  facts.failed = !view.error.empty();
  facts.verdict = freeze::read_verdict(view.metadata);
  return Facts(std::move(facts));
}

// Once the content itself says that it is cut, nobody asks Longhorn any more: so thousands of finished ones cost
// nothing.
std::string longhorn_volume(const kube::ContentView& view) {
  const bool wanted = view.driver == kLonghornDriver && !view.captured && !view.snapshot_uid.empty();
  return wanted && view.volume_handle.size() <= kLongestVolume ? view.volume_handle : "";
}

Result<Facts> content_facts(const Json& object, ThawOn) {
  auto view = kube::ContentView::from(object);
  std::string volume = longhorn_volume(view);
  return Facts(
      CaptureFacts{std::move(view.snapshot_uid), view.captured, !view.error.empty(), view.created, std::move(volume)});
}

Result<Facts> longhorn_facts(const Json& object, ThawOn) {
  auto view = kube::LonghornSnapshotView::from(object);
  if (view.snapshot_uid.empty()) return Facts();
  return Facts(CaptureFacts{std::move(view.snapshot_uid), view.captured, false, view.created, {}});
}

Result<Facts> backup_facts(const Json& object, ThawOn) {
  auto view = kube::BackupView::from(object);
  BackupFacts facts;
  facts.uid = view.metadata.uid;
  facts.version = view.metadata.resource_version;
  facts.namespace_ = view.metadata.namespace_;
  facts.name = view.metadata.name;
  facts.vm = view.source_name;
  facts.created = view.metadata.creation_timestamp;
  facts.snapshot_names = std::move(view.snapshot_names);
  facts.made = std::move(view.made);
  facts.deadline = view.fs_freeze_deadline;
  facts.failed = !view.error.empty();
  facts.error_time = view.error_time;
  facts.complete = view.complete();
  facts.deleting = view.metadata.deleting;
  facts.freeze_decided = view.freeze_decided;
  facts.harvester_froze = view.harvester_froze;
  facts.verdict = freeze::read_verdict(view.metadata);
  return Facts(std::move(facts));
}

Result<Facts> vmi_facts(const Json& object, ThawOn) {
  const auto view = kube::VmiView::from(object);
  VmiFacts facts;
  facts.uid = view.metadata.uid;
  facts.version = view.metadata.resource_version;
  facts.namespace_ = view.metadata.namespace_;
  facts.name = view.metadata.name;
  facts.running = view.running();
  facts.off = view.off();
  facts.deleting = view.metadata.deleting;
  facts.reported_frozen = view.reported_frozen();
  facts.agent_gone = !view.agent_connected;
  facts.paused = view.paused;
  facts.migrating = view.migrating();
  if (view.migration) facts.migration_uid = view.migration->uid;
  return Facts(std::move(facts));
}

Result<Facts> vm_facts(const Json& object, ThawOn) {
  const auto view = kube::VmView::from(object);
  return Facts(VmFacts{view.metadata.namespace_, view.metadata.name, !view.snapshot_in_progress.empty()});
}

using Source = Captures::Source;

constexpr auto kWatches = std::to_array<Watch>({
    {.kind = Kind::kSession,
     .resource = &kube::kLeases,
     .label_selector = freeze::kSessionLabel,
     .own_namespace = true,
     .always_lists = true,
     .read = session_facts},
    {.kind = Kind::kSnapshot,
     .resource = &kube::kVolumeSnapshots,
     .label_selector = freeze::kEpochLabel,
     .waits = true,
     .source = Source::kSnapshot,
     .read = snapshot_facts},
    {.kind = Kind::kContent,
     .resource = &kube::kVolumeSnapshotContents,
     .waits = true,
     .source = Source::kContent,
     .only_to_capture = true,
     .read = content_facts},
    {.kind = Kind::kLonghornSnapshot,
     .resource = &kube::kLonghornSnapshots,
     .namespace_ = kube::kLonghornNamespace,
     .waits = true,
     .source = Source::kLonghorn,
     .only_to_capture = true,
     .read = longhorn_facts},
    {.kind = Kind::kBackup, .resource = &kube::kHarvesterBackups, .always_lists = true, .read = backup_facts},
    {.kind = Kind::kVmi, .resource = &kube::kVirtualMachineInstances, .read = vmi_facts},
    {.kind = Kind::kVm, .resource = &kube::kVirtualMachines, .always_lists = true, .read = vm_facts},
});

// One row a kind, in the order of the kinds.
constexpr bool complete() {
  for (std::size_t i = 0; i < kWatches.size(); ++i) {
    if (static_cast<std::size_t>(kWatches[i].kind) != i) return false;
  }
  return kWatches.size() == kKinds;
}
static_assert(complete());

}  // namespace

const Watch& watch_of(Kind kind) {
  return kWatches[static_cast<std::size_t>(kind)];
}

Result<Facts> facts_of(Kind kind, const Json& object, ThawOn thaw_on) {
  return watch_of(kind).read(object, thaw_on);
}

bool is_watched(Kind kind, ThawOn thaw_on) {
  return thaw_on == ThawOn::kCaptured || !watch_of(kind).only_to_capture;
}

}  // namespace snapfreeze::sweeper
