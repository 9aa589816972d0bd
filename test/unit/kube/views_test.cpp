#include "kube/views.h"

#include "test/support/catch.h"

namespace snapfreeze::kube {
namespace {

Json parse(std::string_view text) {
  auto json = Json::parse(text);
  REQUIRE(json.ok());
  return std::move(json).value();
}

TEST_CASE("Metadata knows its owner, labels and annotations") {
  const Metadata metadata = Metadata::from(parse(R"({"metadata":{
    "name":"a","namespace":"ns","uid":"u1","resourceVersion":"42","creationTimestamp":"2026-11-23T13:17:00Z",
    "deletionTimestamp":"2026-11-23T13:18:00Z","labels":{"l":"1"},"annotations":{"x":"y"},
    "ownerReferences":[{"apiVersion":"v1","kind":"Other","name":"o","uid":"u2"},
      {"apiVersion":"harvesterhci.io/v1beta1","kind":"VirtualMachineBackup","name":"b","uid":"u3","controller":true}]}})"));
  CHECK(metadata.name == "a");
  CHECK(metadata.namespace_ == "ns");
  CHECK(metadata.uid == "u1");
  CHECK(metadata.resource_version == "42");
  CHECK(metadata.creation_timestamp == Wall(std::chrono::seconds(1'795'439'820)));
  CHECK(metadata.deleting);
  CHECK(metadata.label("l") == "1");
  CHECK(metadata.annotation("x") == "y");
  CHECK(metadata.annotation("absent").empty());
  REQUIRE(metadata.controller() != nullptr);
  CHECK(metadata.controller()->uid == "u3");
}

TEST_CASE("An owner is of a kind only in its API group, whatever the version") {
  const OwnerReference harvester{"harvesterhci.io/v1beta2", "VirtualMachineBackup", "b", "u", true};
  CHECK(harvester.is("harvesterhci.io", "VirtualMachineBackup"));
  CHECK_FALSE(harvester.is("backup.kubevirt.io", "VirtualMachineBackup"));
  CHECK_FALSE(harvester.is("harvesterhci.io", "VirtualMachineRestore"));
  CHECK(OwnerReference{"v1", "Pod", "p", "u", true}.is("", "Pod"));
  CHECK_FALSE(OwnerReference{"harvesterhci.io", "VirtualMachineBackup", "b", "u", true}.is("harvesterhci.io",
                                                                                           "VirtualMachineBackup"));
}

TEST_CASE("Empty and odd objects give empty views") {
  for (const char* text :
       {"null", "{}", "[]", R"({"metadata":[],"spec":7,"status":"x"})",
        R"({"metadata":{"name":7,"labels":["a"],"ownerReferences":{}},"status":{"conditions":{}}})"}) {
    CAPTURE(text);
    const Json object = parse(text);
    CHECK(SnapshotView::from(object).metadata.name.empty());
    CHECK_FALSE(SnapshotView::from(object).captured);
    CHECK_FALSE(ContentView::from(object).captured);
    CHECK_FALSE(LonghornSnapshotView::from(object).captured);
    CHECK(BackupView::from(object).snapshot_names.empty());
    CHECK_FALSE(BackupView::from(object).complete());
    CHECK_FALSE(VmiView::from(object).migrating());
    CHECK_FALSE(VmiView::from(object).running());
    CHECK(VmView::from(object).snapshot_in_progress.empty());
    CHECK(LeaseView::from(object).lease_duration_seconds == 0);
    CHECK(Metadata::from(object).controller() == nullptr);
  }
}

TEST_CASE("A snapshot is captured when its creation time is set, be it 1970") {
  const auto view = SnapshotView::from(parse(R"({"metadata":{"generateName":"snap-"},
    "spec":{"source":{"persistentVolumeClaimName":"disk"}},
    "status":{"boundVolumeSnapshotContentName":"c","creationTime":"1970-01-01T00:00:00Z","readyToUse":false,
      "error":{"message":"busy"}}})"));
  CHECK(view.captured);
  CHECK_FALSE(view.ready);
  CHECK(view.source_pvc == "disk");
  CHECK(view.source_content.empty());
  CHECK(view.bound_content == "c");
  CHECK(view.error == "busy");
  CHECK(view.metadata.generate_name == "snap-");
  CHECK_FALSE(SnapshotView::from(parse(R"({"status":{"creationTime":null}})")).captured);
}

TEST_CASE("A content names its snapshot, and its creation time is a number") {
  const auto view = ContentView::from(parse(R"({"spec":{"volumeSnapshotRef":{"namespace":"ns","name":"s","uid":"u"}},
    "status":{"creationTime":1795439820000000000,"readyToUse":true}})"));
  CHECK(view.snapshot_namespace == "ns");
  CHECK(view.snapshot_name == "s");
  CHECK(view.snapshot_uid == "u");
  CHECK(view.captured);
  CHECK(view.ready);
  CHECK(view.driver.empty());
  CHECK(view.volume_handle.empty());
  const auto cutting = ContentView::from(
      parse(R"({"spec":{"driver":"driver.longhorn.io","source":{"volumeHandle":"pvc-1"}},"status":null})"));
  CHECK(cutting.driver == "driver.longhorn.io");
  CHECK(cutting.volume_handle == "pvc-1");
  CHECK_FALSE(cutting.captured);
}

TEST_CASE("A Longhorn snapshot is captured when requested, or on old versions when created") {
  const auto requested = LonghornSnapshotView::from(parse(
      R"({"metadata":{"name":"snapshot-u1"},"status":{"requestedTime":"2026-11-23T13:17:00Z","creationTime":""}})"));
  CHECK(requested.snapshot_uid == "u1");
  CHECK(requested.captured);
  CHECK(LonghornSnapshotView::from(parse(R"({"status":{"creationTime":"2026-11-23T13:17:00Z"}})")).captured);
  CHECK_FALSE(LonghornSnapshotView::from(parse(R"({"status":{"requestedTime":"","creationTime":""}})")).captured);
  CHECK(LonghornSnapshotView::from(parse(R"({"metadata":{"name":"c-abc"}})")).snapshot_uid.empty());
}

TEST_CASE("A backup names its VM and the snapshots to wait for") {
  const auto view = BackupView::from(parse(R"({"metadata":{"annotations":{"harvesterhci.io/snapshotFreezeFS":"true"}},
    "spec":{"source":{"kind":"VirtualMachine","name":"vm1"},"type":"backup","fsFreezeDeadline":"10s"},
    "status":{"volumeBackups":[{"name":"b-d0"},{"name":"b-d1","creationTime":"2026-11-23T13:17:00Z"},
      {"volumeName":"unnamed"}],"readyToUse":false,"error":{"message":"in error state"}}})"));
  CHECK(view.source_name == "vm1");
  CHECK(view.type == "backup");
  CHECK(view.fs_freeze_deadline == Millis(10'000));
  CHECK(view.snapshot_names == std::vector<std::string>{"b-d0", "b-d1"});
  CHECK(view.made == std::vector<std::string>{"b-d1"});
  CHECK(view.harvester_froze);
  CHECK(view.error == "in error state");
  CHECK_FALSE(view.complete());
}

TEST_CASE("A backup is complete when ready, and not because of an error") {
  CHECK(BackupView::from(parse(R"({"status":{"readyToUse":true}})")).complete());
  CHECK_FALSE(BackupView::from(parse(R"({"status":{"error":{"message":"x"}}})")).complete());
}

TEST_CASE("A freeze deadline of zero is told from none, and from what is no duration") {
  CHECK(BackupView::from(parse(R"({"spec":{"fsFreezeDeadline":"0s"}})")).fs_freeze_deadline == Millis(0));
  CHECK_FALSE(BackupView::from(parse(R"({"spec":{}})")).fs_freeze_deadline.has_value());
  CHECK_FALSE(BackupView::from(parse(R"({"spec":{"fsFreezeDeadline":"soon"}})")).fs_freeze_deadline.has_value());
}

TEST_CASE("A VMI tells phase, agent, pause, freeze, system and claims") {
  const auto view = VmiView::from(parse(R"({"metadata":{"uid":"u1"},
    "spec":{"volumes":[{"name":"a","persistentVolumeClaim":{"claimName":"pvc-a"}},{"name":"b","dataVolume":{"name":"dv-b"}},
      {"name":"c","cloudInitNoCloud":{}}]},
    "status":{"phase":"Running","conditions":[{"type":"AgentConnected","status":"True"},{"type":"Paused","status":"False"}],
      "fsFreezeStatus":"frozen","guestOSInfo":{"id":"mswindows"}}})"));
  CHECK(view.metadata.uid == "u1");
  CHECK(view.running());
  CHECK(view.agent_connected);
  CHECK_FALSE(view.paused);
  CHECK(view.reported_frozen());
  CHECK(view.windows());
  CHECK_FALSE(view.migration.has_value());
  CHECK(view.claims == std::vector<std::string>{"pvc-a", "dv-b"});
}

TEST_CASE("A folder shared with a guest is a claim of its, but no disk that a freeze reaches") {
  const auto view = VmiView::from(parse(R"({"spec":{
    "domain":{"devices":{"filesystems":[{"name":"share","virtiofs":{}},{"name":"secret","virtiofs":{}},{"virtiofs":{}}]}},
    "volumes":[{"name":"root","persistentVolumeClaim":{"claimName":"pvc-a"}},{"name":"secret","secret":{}},
      {"name":"share","persistentVolumeClaim":{"claimName":"pvc-shared"}}]}})"));
  CHECK(view.claims == std::vector<std::string>{"pvc-a", "pvc-shared"});
  CHECK(view.disks() == std::vector<std::string>{"pvc-a"});
}

TEST_CASE("A disk that is being hot-plugged is a claim of the guest, but none that a freeze reaches yet") {
  const auto view = VmiView::from(parse(R"({"spec":{"volumes":[
      {"name":"root","persistentVolumeClaim":{"claimName":"pvc-a"}},
      {"name":"hot","persistentVolumeClaim":{"claimName":"pvc-b","hotpluggable":true}},
      {"name":"new","dataVolume":{"name":"dv-c","hotpluggable":true}},
      {"name":"next","dataVolume":{"name":"dv-d","hotpluggable":true}}]},
    "status":{"volumeStatus":[{"name":"root","target":"vda"},{"name":"hot","phase":"Ready","hotplugVolume":{}},
      {"name":"new","phase":"MountedToPod","hotplugVolume":{}}]}})"));
  CHECK(view.claims == std::vector<std::string>{"pvc-a", "pvc-b", "dv-c", "dv-d"});
  CHECK(view.disks() == std::vector<std::string>{"pvc-a", "pvc-b"});
}

TEST_CASE("A backup of KubeVirt's own is in progress until it is completed") {
  const auto of = [](const char* backup) {
    return VmiView::from(parse(std::string(R"({"status":{"changedBlockTracking":{"backupStatus":)") + backup + "}}}"))
        .backup_in_progress;
  };
  CHECK(of(R"({"backupName":"full-1"})") == "full-1");
  CHECK(of(R"({"backupName":"full-1","completed":true})").empty());
  CHECK(of("null").empty());
}

TEST_CASE("A condition that is not True counts as false") {
  const auto view = VmiView::from(parse(R"({"status":{"conditions":[{"type":"AgentConnected","status":"Unknown"},
    {"type":"Paused","status":"True"}]}})"));
  CHECK_FALSE(view.agent_connected);
  CHECK(view.paused);
}

TEST_CASE("A migration is active from its announcement to its end") {
  const auto migrating = [](const char* state) {
    return VmiView::from(parse(std::string(R"({"status":{"migrationState":)") + state + "}}")).migrating();
  };
  CHECK(migrating(R"({"migrationUid":"m"})"));
  CHECK(migrating(R"({"startTimestamp":"2026-11-23T13:17:00Z"})"));
  CHECK_FALSE(migrating(R"({"startTimestamp":"2026-11-23T13:17:00Z","endTimestamp":"2026-11-23T13:17:09Z"})"));
  CHECK_FALSE(migrating(R"({"completed":true})"));
  CHECK_FALSE(migrating(R"({"failed":true})"));
}

TEST_CASE("A VM tells the snapshot in progress and its status") {
  const auto view = VmView::from(parse(R"({"status":{"snapshotInProgress":"s1","printableStatus":"Running"}})"));
  CHECK(view.snapshot_in_progress == "s1");
  CHECK(view.printable_status == "Running");
}

TEST_CASE("A Lease tells holder, duration and times to the microsecond") {
  const auto view =
      LeaseView::from(parse(R"({"spec":{"holderIdentity":"a","leaseDurationSeconds":30,"leaseTransitions":2,
    "acquireTime":"2026-11-23T13:17:00.000001Z","renewTime":"2026-11-23T13:17:05.500000Z"}})"));
  CHECK(view.holder_identity == "a");
  CHECK(view.lease_duration_seconds == 30);
  CHECK(view.lease_transitions == 2);
  REQUIRE(view.acquire_time.has_value());
  CHECK(*view.renew_time - *view.acquire_time == std::chrono::microseconds(5'499'999));
}

TEST_CASE("of a pod: whether it has ended, and the claims that it mounts") {
  const auto json = Json::parse(R"({"metadata": {"name": "job-1", "namespace": "vms"},
      "spec": {"volumes": [{"name": "a", "persistentVolumeClaim": {"claimName": "db-disk-0"}}, {"name": "tmp", "emptyDir": {}},
                           {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {}}}]},
      "status": {"phase": "Running"}})");
  const PodView pod = PodView::from(*json);
  CHECK_FALSE(pod.finished);
  CHECK(pod.claims == std::vector<std::string>{"db-disk-0", "job-1-scratch"});
  CHECK(PodView::from(*Json::parse(R"({"status": {"phase": "Succeeded"}})")).finished);
  CHECK(PodView::from(*Json::parse(R"({"status": {"phase": "Failed"}})")).finished);
}

}  // namespace
}  // namespace snapfreeze::kube
