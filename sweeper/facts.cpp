#include "sweeper/facts.h"

#include "freeze/backup.h"
#include "freeze/names.h"
#include "kube/views.h"

namespace snapfreeze::sweeper {
namespace {

SnapshotFacts snapshot_facts(const Json& object, ThawOn thaw_on) {
  const auto view = kube::SnapshotView::from(object);
  SnapshotFacts facts;
  facts.uid = view.metadata.uid;
  facts.namespace_ = view.metadata.namespace_;
  facts.name = view.metadata.name;
  facts.epoch = view.metadata.label(freeze::kEpochLabel);
  facts.vm = view.metadata.annotation(freeze::kVmAnnotation);
  facts.claim = view.source_pvc;
  const auto claim = freeze::claim_of(view);
  if (claim && claim->kind != freeze::Claim::Kind::kNotOurs) facts.hold = claim->hold;
  facts.created = view.metadata.creation_timestamp;
  facts.deleting = view.metadata.deleting;
  facts.captured = thaw_on == ThawOn::kReady ? view.ready : view.captured;
  facts.failed = !view.error.empty();
  facts.consistency = view.metadata.annotation(freeze::kConsistency);
  facts.reason = view.metadata.annotation(freeze::kReason);
  return facts;
}

BackupFacts backup_facts(const Json& object) {
  auto view = kube::BackupView::from(object);
  BackupFacts facts;
  facts.uid = view.metadata.uid;
  facts.namespace_ = view.metadata.namespace_;
  facts.name = view.metadata.name;
  facts.vm = view.source_name;
  facts.created = view.metadata.creation_timestamp;
  facts.snapshot_names = std::move(view.snapshot_names);
  facts.deadline = view.fs_freeze_deadline;
  facts.failed = !view.error.empty();
  facts.error_time = view.error_time;
  facts.complete = view.complete();
  facts.deleting = view.metadata.deleting;
  facts.harvester_froze = view.harvester_froze;
  facts.consistency = view.metadata.annotation(freeze::kConsistency);
  return facts;
}

VmiFacts vmi_facts(const Json& object) {
  const auto view = kube::VmiView::from(object);
  VmiFacts facts;
  facts.uid = view.metadata.uid;
  facts.namespace_ = view.metadata.namespace_;
  facts.name = view.metadata.name;
  facts.running = view.running();
  facts.off = view.off();
  facts.deleting = view.metadata.deleting;
  facts.reported_frozen = view.reported_frozen();
  facts.agent_gone = !view.agent_connected;
  facts.migrating = view.migrating();
  if (view.migration) facts.migration_uid = view.migration->uid;
  return facts;
}

}  // namespace

Result<Facts> facts_of(Kind kind, const Json& object, ThawOn thaw_on) {
  switch (kind) {
    case Kind::kSession: {
      auto session = freeze::from_lease(object);
      if (!session) return session.error();
      return Facts(std::move(*session));
    }
    case Kind::kSnapshot:
      return Facts(snapshot_facts(object, thaw_on));
    case Kind::kContent: {
      auto view = kube::ContentView::from(object);
      return Facts(CaptureFacts{std::move(view.snapshot_uid), view.captured, !view.error.empty()});
    }
    case Kind::kLonghornSnapshot: {
      auto view = kube::LonghornSnapshotView::from(object);
      if (view.snapshot_uid.empty()) return Facts();
      return Facts(CaptureFacts{std::move(view.snapshot_uid), view.captured, false});
    }
    case Kind::kBackup:
      return Facts(backup_facts(object));
    case Kind::kVmi:
      return Facts(vmi_facts(object));
    case Kind::kVm: {
      const auto view = kube::VmView::from(object);
      return Facts(VmFacts{view.metadata.namespace_, view.metadata.name, !view.snapshot_in_progress.empty()});
    }
  }
  return Facts();
}

const kube::Resource& resource_of(Kind kind) {
  switch (kind) {
    case Kind::kSession:
      return kube::kLeases;
    case Kind::kSnapshot:
      return kube::kVolumeSnapshots;
    case Kind::kContent:
      return kube::kVolumeSnapshotContents;
    case Kind::kLonghornSnapshot:
      return kube::kLonghornSnapshots;
    case Kind::kBackup:
      return kube::kHarvesterBackups;
    case Kind::kVmi:
      return kube::kVirtualMachineInstances;
    case Kind::kVm:
      break;
  }
  return kube::kVirtualMachines;
}

std::string_view label_selector_of(Kind kind) {
  if (kind == Kind::kSession) return freeze::kSessionLabel;
  if (kind == Kind::kSnapshot) return freeze::kEpochLabel;
  return "";
}

bool is_watched(Kind kind, ThawOn thaw_on) {
  return thaw_on == ThawOn::kCaptured || (kind != Kind::kContent && kind != Kind::kLonghornSnapshot);
}

}  // namespace snapfreeze::sweeper
