#include "base/time.h"
#include "sweeper/write_event.h"
#include "test/unit/sweeper/conclude_rig.h"

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;
using namespace snapfreeze::sweeper;
using freeze::Consistency;
using freeze::Phase;
using freeze::Session;
using End = ConcludeDone::End;
namespace reason = freeze::reason;

TEST_CASE("a session without a doubt ends with filesystem on each snapshot and the backup, an Event, and no Lease") {
  ConcludeRig rig;
  const ConcludeDone done = rig.conclude();
  CHECK(done.end == End::kEnded);
  for (const int disk : {0, 1}) {
    CHECK(rig.of_snapshot(disk, "consistency") == "filesystem");
    CHECK(rig.of_snapshot(disk, "frozen-for") == "1.234s");
    CHECK(rig.of_snapshot(disk, "reason").empty());
  }
  CHECK(rig.of_backup("consistency") == "filesystem");
  CHECK(rig.of_backup("frozen-for") == "1.234s");
  const auto backup = rig.cluster.get("harvesterhci.io/virtualmachinebackups", "vms", "b1");
  CHECK(backup["metadata"]["labels"]["snapfreeze.harvesterhci.io/consistency"] == "filesystem");
  CHECK(rig.last_event()["reason"] == "FilesystemConsistent");
  CHECK(rig.last_event()["type"] == "Normal");
  CHECK(rig.last_event()["involvedObject"]["uid"] == rig.uid);
  CHECK_FALSE(rig.on_record());
  CHECK(done.snapshots.size() == 2);
  CHECK(done.backups.size() == 1);
  CHECK(rig.calls() <= 5 + 2 + 3 + 1);  // the last one is this test's own look at the record
}

TEST_CASE("a doubt is the reason on every snapshot and the backup, and nobody looks for more") {
  ConcludeRig rig;
  rig.job.session.doubt(reason::kMigrated);
  CHECK(rig.conclude().end == End::kEnded);
  for (const int disk : {0, 1}) CHECK(rig.of_snapshot(disk, "reason") == "migrated");
  CHECK(rig.of_backup("consistency") == "crash");
  CHECK(rig.of_backup("reason") == "migrated");
  CHECK(rig.last_event()["type"] == "Warning");
  CHECK(rig.calls("list") == 0);
}

TEST_CASE("a capture that was not observed before the thaw, or too late, is crash, and so is the backup") {
  ConcludeRig rig;
  SECTION("after the thaw") {
    rig.job.session.captured.erase(rig.job.members[1].uid);
    rig.conclude();
    CHECK(rig.of_snapshot(1, "reason") == "cut-too-late");
  }
  SECTION("never") {
    rig.job.session.captured.erase(rig.job.members[1].uid);
    rig.job.members[1].captured.reset();
    rig.conclude();
    CHECK(rig.of_snapshot(1, "reason") == "not-captured");
  }
  SECTION("within the margin of T") {
    rig.job.session.captured[rig.job.members[1].uid] = 29s;
    rig.conclude();
    CHECK(rig.of_snapshot(1, "reason") == "cut-too-late");
  }
  CHECK(rig.of_snapshot(0, "consistency") == "filesystem");
  CHECK(rig.of_snapshot(1, "consistency") == "crash");
  CHECK(rig.of_backup("consistency") == "crash");
  CHECK(rig.of_backup("reason") == rig.of_snapshot(1, "reason"));
}

TEST_CASE("a snapshot of KubeVirt's own, found afresh, is a doubt") {
  ConcludeRig rig;
  rig.cluster.guests().vm_snapshot("vms", "vm1", "s1", 60s);
  rig.conclude();
  CHECK(rig.of_backup("reason") == "kubevirt-snapshot");
}

TEST_CASE("another backup whose freeze may have slipped in leaves only its own deadline") {
  ConcludeRig rig;
  cluster::DiskOptions never;
  never.never = true;
  rig.cluster.storage().set_default(never);
  rig.make_backup("b2");
  rig.job.session.frozen_by = rig.runtime.wall();
  rig.conclude();
  CHECK(rig.of_backup("reason") == "other-backup");
}

TEST_CASE("while nobody can look for other freezers there is no verdict; in the end it is crash") {
  ConcludeRig rig;
  rig.fail("list", "virtualmachinesnapshots", 500);
  ConcludeDone done = rig.conclude();
  CHECK(done.end == End::kFailed);
  CHECK(done.look_failed);
  CHECK(rig.of_backup("consistency").empty());
  rig.job.failed_looks = kMaxLooks - 1;
  done = rig.conclude();
  CHECK(done.end == End::kEnded);
  CHECK(rig.of_backup("reason") == "unverified");
}

TEST_CASE("kinds that the cluster does not serve are none") {
  ConcludeRig rig;
  rig.cluster.locked([&] {
    rig.cluster.store().resources().serve("snapshot.kubevirt.io", "virtualmachinesnapshots", false);
    rig.cluster.store().resources().serve("backup.kubevirt.io", "virtualmachinebackups", false);
  });
  rig.conclude();
  CHECK(rig.of_backup("consistency") == "filesystem");
}

TEST_CASE("crash is never turned back into filesystem") {
  ConcludeRig rig;
  SECTION("on a snapshot") {
    rig.job.members[0].verdict = freeze::crash(reason::kUnverified);
    rig.conclude();
    CHECK(rig.of_snapshot(0, "consistency").empty());  // left as it was
    CHECK(rig.of_backup("reason") == "unverified");
  }
  SECTION("on a backup") {
    rig.cluster.call("sweeper-9", "PATCH", "/apis/harvesterhci.io/v1beta1/namespaces/vms/virtualmachinebackups/b1",
                     {{"metadata",
                       {{"annotations",
                         {{"snapfreeze.harvesterhci.io/consistency", "crash"},
                          {"snapfreeze.harvesterhci.io/reason", "migrated"}}}}}},
                     "application/merge-patch+json");
    rig.conclude();
    CHECK(rig.of_backup("consistency") == "crash");
    CHECK(rig.of_backup("reason") == "migrated");
  }
}

TEST_CASE("what a former leader has written already is not written again") {
  ConcludeRig rig;
  for (Member& member : rig.job.members) member.verdict = freeze::Verdict{Consistency::kFilesystem};
  rig.conclude();
  CHECK(rig.calls("patch") == 1);  // the backup
  CHECK(rig.of_backup("consistency") == "filesystem");
}

TEST_CASE("a backup is judged by its names as they are now") {
  ConcludeRig rig;
  const auto rename = [&](const std::string& name) {
    rig.cluster.call("harvester", "PATCH", "/apis/harvesterhci.io/v1beta1/namespaces/vms/virtualmachinebackups/b1",
                     {{"status", {{"volumeBackups", {{{"name", rig.name_of(0)}}, {{"name", name}}}}}}},
                     "application/merge-patch+json");
  };
  SECTION("a member that never came") {
    rename("b1-volume-vm1-disk-2");
    rig.conclude();
    CHECK(rig.of_backup("reason") == "missing");
  }
  SECTION("a member that was deleted") {
    rename("b1-volume-vm1-disk-2");
    rig.job.holds[0].deleted_names.insert("b1-volume-vm1-disk-2");
    rig.conclude();
    CHECK(rig.of_backup("reason") == "deleted");
  }
  SECTION("a member that was captured while the VM was off") {
    rename("b1-volume-vm1-disk-2");
    rig.job.holds[0].elsewhere["b1-volume-vm1-disk-2"] = {Consistency::kOffline};
    rig.conclude();
    CHECK(rig.of_backup("reason") == "started");
  }
  SECTION("a member of another freeze") {
    rename("b1-volume-vm1-disk-2");
    rig.job.holds[0].elsewhere["b1-volume-vm1-disk-2"] = {Consistency::kFilesystem};
    rig.conclude();
    CHECK(rig.of_backup("reason") == "late");
  }
  CHECK(rig.of_backup("consistency") == "crash");
  CHECK(rig.of_snapshot(0, "consistency") == "filesystem");
}

TEST_CASE("a snapshot that is gone, or another one of its name, is left alone and makes the backup crash") {
  ConcludeRig rig;
  rig.job.members[1].uid = "another";
  rig.job.session.captured["another"] = 1000ms;
  CHECK(rig.conclude().end == End::kEnded);
  CHECK(rig.of_snapshot(1, "consistency").empty());
  CHECK(rig.of_backup("reason") == "deleted");
}

TEST_CASE("a backup that is gone, or another one of its name, is left alone") {
  for (const bool doubtful : {false, true}) {
    ConcludeRig rig;
    rig.job.holds[0].hold.uid = "another";
    if (doubtful) rig.job.session.doubt(reason::kMigrated);
    CHECK(rig.conclude().end == End::kEnded);
    CHECK(rig.of_backup("consistency").empty());
  }
}

TEST_CASE("the Lease stays, and the backup is not judged, until each snapshot is written") {
  ConcludeRig rig;
  rig.fail("patch", "disk-1", 500, 1);
  const ConcludeDone done = rig.conclude();
  CHECK(done.end == End::kFailed);
  CHECK(done.snapshots.size() == 1);
  CHECK(rig.of_backup("consistency").empty());
  CHECK(rig.on_record());
  CHECK(rig.conclude().end == End::kEnded);
  CHECK(rig.of_backup("consistency") == "filesystem");
}

TEST_CASE("the Lease stays until the backup is judged") {
  ConcludeRig rig;
  rig.fail("patch", "virtualmachinebackups", 500, 1);
  const ConcludeDone done = rig.conclude();
  CHECK(done.end == End::kFailed);
  CHECK(done.snapshots.size() == 2);
  CHECK(done.backups.empty());
  CHECK(rig.last_event().empty());
  CHECK(rig.on_record());
  CHECK(rig.conclude().end == End::kEnded);
  CHECK(rig.of_backup("consistency") == "filesystem");
}

TEST_CASE("the Lease stays until the Event is written") {
  ConcludeRig rig;
  rig.fail("create", "/events", 503, 1);
  CHECK(rig.conclude().end == End::kFailed);
  CHECK(rig.on_record());
  CHECK(rig.conclude().end == End::kEnded);
}

TEST_CASE("what is refused is tried for a while, and then left out") {
  ConcludeRig rig;
  rig.fail("patch", "disk-1", 403);
  CHECK(rig.conclude().end == End::kFailed);
  rig.job.patient = false;
  CHECK(rig.conclude().end == End::kEnded);
}

TEST_CASE("what fails for an hour is left out") {
  ConcludeRig rig;
  rig.fail("patch", "disk-1", 500);
  rig.job.patient = false;
  CHECK(rig.conclude().end == End::kFailed);
  rig.job.last_try = true;
  CHECK(rig.conclude().end == End::kEnded);
}

TEST_CASE("who does not lead any more writes no verdict") {
  for (const int asked : {0, 1, 2}) {
    ConcludeRig rig;
    rig.leadership.lost_after = asked;
    CHECK(rig.conclude().end == End::kFailed);
    CHECK(rig.of_snapshot(0, "consistency").empty() == (asked == 0));
    CHECK(rig.of_backup("consistency").empty() == (asked <= 1));
    CHECK(rig.on_record());
  }
}

TEST_CASE("a session rests when a call is unsettled, it lapsed, or it captured nothing") {
  ConcludeRig rig;
  SECTION("unsettled") {
    rig.job.session.unsettled = true;
  }
  SECTION("lapsed") {
    rig.job.session.doubt(reason::kLapsed);
  }
  SECTION("the agent was lost") {
    rig.job.session.doubt(reason::kAgentLost);
  }
  SECTION("VSS gave up") {
    rig.job.session.doubt(reason::kWindowsLimit);
  }
  SECTION("captured nothing") {
    rig.job.session.captured.clear();
  }
  const ConcludeDone done = rig.conclude();
  CHECK(done.end == End::kResting);
  CHECK(rig.on_record()->phase == Phase::kResting);
  CHECK(rig.on_record()->unsettled == rig.job.session.unsettled);
  CHECK(done.session.resource_version == rig.on_record()->resource_version);
  CHECK_FALSE(rig.of_backup("consistency").empty());
}

TEST_CASE("a guest that was never frozen need not rest") {
  ConcludeRig rig;
  rig.job.session.captured.clear();
  rig.job.session.frozen_by.reset();
  rig.job.session.doubt(reason::kFreezeFailed);
  CHECK(rig.conclude().end == End::kEnded);
  CHECK(rig.of_backup("reason") == "freeze-failed");
  CHECK(rig.of_backup("frozen-for").empty());
}

TEST_CASE("a session that was changed meanwhile is planned again") {
  ConcludeRig rig;
  Session changed = *rig.on_record();
  changed.doubt(reason::kAbandoned);
  REQUIRE(rig.machine.sessions.update(changed).ok());
  const ConcludeDone done = rig.conclude();
  CHECK(done.end == End::kReplan);
  CHECK_FALSE(done.gone);
  CHECK(done.session.doubts.front() == reason::kAbandoned);
}

TEST_CASE("a session that only undoes somebody else's freeze says nothing about the backup") {
  ConcludeRig rig;
  rig.job.members.clear();
  SECTION("a duplicate") {
    rig.job.session.doubt(reason::kDuplicate);
    CHECK(rig.conclude().end == End::kEnded);
    CHECK(rig.last_event().empty());
  }
  SECTION("a rescue") {
    rig.job.session.doubt(reason::kRescued);
    CHECK(rig.conclude().end == End::kEnded);
    CHECK(rig.last_event()["reason"] == "GuestRescued");
    CHECK(rig.last_vm_event()["reason"] == "GuestRescued");
    CHECK(rig.last_vm_event()["involvedObject"]["name"] == "vm1");
    CHECK(rig.machine.metrics.exposition().find("snapfreeze_rescues_total 1") != std::string::npos);
  }
  CHECK(rig.of_backup("consistency").empty());
}

TEST_CASE("a thaw that was never settled is crash, said in an Event, and the Lease goes") {
  ConcludeRig rig;
  rig.job.session.unsettled = true;
  rig.job.abandoned = true;
  CHECK(rig.conclude().end == End::kEnded);
  CHECK(rig.of_backup("reason") == "thaw-unsettled");
  CHECK_FALSE(rig.on_record());
  CHECK(rig.cluster.get("/events", "vms", "snapfreeze." + rig.job.session.uid + ".unsettled")["reason"] ==
        "ThawUnsettled");
}

// Harvester's UI shows labels on a backup's page, and on a VM's page the Events of its name that began after it did.
TEST_CASE("the owner of a VM sees its crash on the pages of the VM and of the backup") {
  ConcludeRig rig;
  rig.job.session.doubt(reason::kAgentLost);
  rig.conclude();
  const auto vm = rig.cluster.get("kubevirt.io/virtualmachines", "vms", "vm1");
  const auto event = rig.last_vm_event();
  REQUIRE_FALSE(event.empty());
  CHECK(event["apiVersion"] == "v1");
  CHECK(event["involvedObject"]["kind"] == "VirtualMachine");
  CHECK(event["involvedObject"]["name"] == "vm1");
  CHECK(event["involvedObject"]["uid"] == vm["metadata"]["uid"]);
  CHECK(event["firstTimestamp"].get<std::string>() >= vm["metadata"]["creationTimestamp"].get<std::string>());
  CHECK(event["lastTimestamp"] == event["firstTimestamp"]);
  CHECK(event["count"] == 1);
  CHECK(event["type"] == "Warning");
  CHECK(event["message"].get<std::string>().starts_with("backup b1: crash-consistent only: agent-lost: "));
  const cluster::Json wanted = {{freeze::kConsistency, "crash"}, {freeze::kReason, "agent-lost"}};
  const auto backup = rig.cluster.get("harvesterhci.io/virtualmachinebackups", "vms", "b1");
  CHECK(backup["metadata"]["labels"] == wanted);
  const auto snapshot = rig.cluster.get("snapshot.storage.k8s.io/volumesnapshots", "vms", "b1-volume-vm1-disk-0");
  CHECK(snapshot["metadata"]["labels"][freeze::kConsistency] == "crash");
  CHECK(snapshot["metadata"]["labels"][freeze::kReason] == "agent-lost");
}

TEST_CASE("of a good backup nothing is said on the VM's page, and no reason is left as a label") {
  ConcludeRig rig;
  rig.cluster.call("admin", "PATCH", "/apis/harvesterhci.io/v1beta1/namespaces/vms/virtualmachinebackups/b1",
                   {{"metadata", {{"labels", {{freeze::kReason, "planted"}}}}}}, "application/merge-patch+json");
  rig.conclude();
  CHECK(rig.last_vm_event().empty());
  const cluster::Json wanted = {{freeze::kConsistency, "filesystem"}};
  const auto backup = rig.cluster.get("harvesterhci.io/virtualmachinebackups", "vms", "b1");
  CHECK(backup["metadata"]["labels"] == wanted);
}

TEST_CASE("a VM that cannot be read is spoken of without its uid, one that is gone not at all") {
  ConcludeRig rig;
  rig.job.session.doubt(reason::kAgentLost);
  SECTION("refused") {
    rig.fail("get", "/virtualmachines/vm1", 403);
    CHECK(rig.conclude().end == End::kResting);
    CHECK(rig.last_vm_event()["involvedObject"]["name"] == "vm1");
    CHECK_FALSE(rig.last_vm_event()["involvedObject"].contains("uid"));
  }
  SECTION("gone") {
    rig.fail("get", "/virtualmachines/vm1", 404);
    CHECK(rig.conclude().end == End::kResting);
    CHECK(rig.last_vm_event().empty());
  }
}

TEST_CASE("an Event's words are cut to what the API server takes, between two characters") {
  ConcludeRig rig;
  std::string note(1020, 'x');
  note += "\u00e4\u00e4\u00e4";
  const auto written = sweeper::write_vm_event(rig.seams, "me", "vms", "vm1", {"long", {true, "Long", note}});
  CHECK(written == sweeper::Written::kYes);
  CHECK(rig.last_vm_event()["message"] == std::string(1020, 'x') + "...");
  CHECK(sweeper::write_vm_event(rig.seams, "me", "vms", "..", {"up", {true, "Up", ""}}) == sweeper::Written::kGone);
}

TEST_CASE("a backup that was seen during the session and is gone counts") {
  ConcludeRig rig;
  freeze::Freezer other = freeze::Freezer{};
  other.name = "b2";
  other.uid = "uid-b2";
  other.vm = "vm1";
  other.created = rig.job.session.created;
  rig.job.seen_backups = {other};
  rig.conclude();
  CHECK(rig.of_backup("reason") == "other-backup");
  CHECK(rig.last_event()["message"].get<std::string>().find("(VirtualMachineBackup b2)") != std::string::npos);
}

TEST_CASE("a backup that only uploads, or was left behind in error, does not count; one that tries again does") {
  ConcludeRig rig;
  rig.make_backup("b0");
  rig.runtime.sleep_for(60s);
  rig.job.session.created = rig.runtime.wall() - 2s;  // as if it had begun only now
  rig.job.session.frozen_by = rig.runtime.wall();
  const auto patch = [&](const cluster::Json& status) {
    rig.cluster.call("harvester", "PATCH", "/apis/harvesterhci.io/v1beta1/namespaces/vms/virtualmachinebackups/b0",
                     {{"status", status}}, "application/merge-patch+json");
  };
  const std::string long_ago = "2020-01-01T00:00:00Z";
  const std::string now = format_micro_time(rig.runtime.wall());
  const cluster::Json missing = {{{"name", "never-made"}}};
  std::string reason;
  SECTION("it uploads, with an error of its upload") {
    patch({{"readyToUse", false}, {"error", {{"time", now}}}});
  }
  SECTION("it was left behind") {
    patch({{"readyToUse", false}, {"error", {{"time", long_ago}}}, {"volumeBackups", missing}});
  }
  SECTION("it tries again") {
    patch({{"readyToUse", false}, {"error", {{"time", now}}}, {"volumeBackups", missing}});
    reason = "other-backup";
  }
  SECTION("it has just made a snapshot") {
    rig.cluster.create_snapshot("harvester", "vms", "made-now", "vm1-disk-0");
    patch({{"readyToUse", false}, {"volumeBackups", {{{"name", "made-now"}}}}});
    reason = "other-backup";
  }
  SECTION("nobody can tell") {
    patch({{"readyToUse", false}});
    rig.fail("get", "volumesnapshots", 500);
    CHECK(rig.conclude().look_failed);
    return;
  }
  rig.conclude();
  CHECK(rig.of_backup("reason") == reason);
  CHECK(rig.of_backup("consistency") == (reason.empty() ? "filesystem" : "crash"));
}

TEST_CASE("a disk of the backup that exists, but came without us, is late and not missing") {
  ConcludeRig rig;
  rig.cluster.create_snapshot("somebody", "vms", "b1-volume-vm1-disk-2", "vm1-disk-1");
  rig.cluster.call("harvester", "PATCH", "/apis/harvesterhci.io/v1beta1/namespaces/vms/virtualmachinebackups/b1",
                   {{"status", {{"volumeBackups", {{{"name", rig.name_of(0)}}, {{"name", "b1-volume-vm1-disk-2"}}}}}}},
                   "application/merge-patch+json");
  rig.conclude();
  CHECK(rig.of_backup("reason") == "late");
}

TEST_CASE("a disk that its driver refused is a snapshot-error") {
  ConcludeRig rig;
  rig.job.session.captured.erase(rig.job.members[1].uid);
  rig.job.members[1].captured.reset();
  rig.job.members[1].failed_since = at(0ms).at;
  rig.conclude();
  CHECK(rig.of_snapshot(1, "reason") == "snapshot-error");
  CHECK(rig.of_backup("reason") == "snapshot-error");
}

TEST_CASE("what was planted in another namespace is left alone") {
  ConcludeRig rig;
  Member planted = rig.job.members[1];
  planted.namespace_ = "other";
  planted.verdict = freeze::crash(reason::kLapsed);
  rig.job.members.push_back(planted);
  CHECK(rig.conclude().end == End::kEnded);
  CHECK(rig.of_backup("consistency") == "filesystem");
}

namespace {

// The same two snapshots, but labelled by whoever made them.
void label(ConcludeRig& rig, int members) {
  rig.job.session.holds = {label_hold(members)};
  rig.job.holds = {{label_hold(members), {}, {}, false, {}, {}}};
}

std::string counted(Rig& rig, const std::string& series) {
  const std::string all = rig.machine.metrics.exposition();
  const auto found = all.find("snapfreeze_verdicts_total{" + series + "} ");
  return found == std::string::npos ? "" : all.substr(all.find('}', found) + 2, 1);
}

}  // namespace

TEST_CASE("a labelled backup is judged as a whole: one Event, and counted once") {
  ConcludeRig rig;
  // The backup whose snapshots these are would be another one, with its own freeze.
  rig.cluster.call("admin", "DELETE", "/apis/harvesterhci.io/v1beta1/namespaces/vms/virtualmachinebackups/b1");
  SECTION("consistent") {
    label(rig, 2);
    CHECK(rig.conclude().end == End::kEnded);
    CHECK(rig.last_event()["reason"] == "FilesystemConsistent");
    CHECK(counted(rig, R"(consistency="filesystem",reason="")") == "1");
  }
  SECTION("the second disk is not") {
    label(rig, 2);
    rig.job.session.captured[rig.job.members[1].uid] = 29s;
    rig.conclude();
    CHECK(rig.last_event()["message"].get<std::string>().starts_with("crash-consistent only: cut-too-late"));
    CHECK(counted(rig, R"(consistency="crash",reason="cut-too-late")") == "1");
  }
  SECTION("fewer came than were announced") {
    label(rig, 3);
    rig.conclude();
    CHECK(counted(rig, R"(consistency="crash",reason="missing")") == "1");
  }
  SECTION("one of them was deleted") {
    label(rig, 3);
    rig.job.holds[0].deleted_names.insert("gone");
    rig.conclude();
    CHECK(counted(rig, R"(consistency="crash",reason="deleted")") == "1");
  }
}

TEST_CASE("a verdict is counted once, however often a step is done again") {
  ConcludeRig rig;
  rig.fail("create", "/events", 503, 2);
  rig.fail("delete", "leases", 503, 1);
  for (int i = 0; i < 3; ++i) CHECK(rig.conclude().end == End::kFailed);
  CHECK(counted(rig, R"(consistency="filesystem",reason="")").empty());
  CHECK(rig.conclude().end == End::kEnded);
  CHECK(counted(rig, R"(consistency="filesystem",reason="")") == "1");
}

TEST_CASE("what Longhorn alone had told of is on record before it is judged") {
  ConcludeRig rig;
  rig.job.confirmed_after = {std::chrono::seconds(5), std::chrono::seconds(6)};
  const auto captured = std::exchange(rig.job.session.captured, {});
  rig.job.session = *rig.machine.sessions.update(rig.job.session);
  rig.job.session.captured = captured;
  SECTION("all goes well") {
    CHECK(rig.conclude().end == End::kEnded);
    CHECK(rig.of_backup("consistency") == "filesystem");
    CHECK_FALSE(rig.on_record());
  }
  SECTION("no verdict can be written") {
    rig.fail("patch", "/apis/snapshot.storage.k8s.io", 500);
    const ConcludeDone done = rig.conclude();
    CHECK(done.end == End::kFailed);
    CHECK(rig.on_record()->captured == captured);
    CHECK(done.session.resource_version == rig.on_record()->resource_version);
  }
  SECTION("the record cannot be written") {
    rig.fail("patch", "/apis/coordination.k8s.io", 500);
    CHECK(rig.conclude().end == End::kFailed);
    CHECK(rig.of_snapshot(0, "consistency").empty());
  }
  SECTION("somebody else has written it") {
    freeze::Session other = *rig.on_record();
    other.doubt(reason::kThawedByHand);
    REQUIRE(rig.machine.sessions.update(other).ok());
    CHECK(rig.conclude().end == End::kReplan);
    CHECK(rig.of_snapshot(0, "consistency").empty());
  }
}

TEST_CASE("a disk of whose live cut no object ever told is crash: not-confirmed, and so is its backup") {
  ConcludeRig rig;
  rig.job.session.captured.erase(rig.job.members[1].uid);
  rig.job.members[1].not_confirmed = true;
  SECTION("no object says that it was captured") {
    rig.job.members[1].captured.reset();
  }
  SECTION("one tells of another cut") {}
  rig.conclude();
  CHECK(rig.of_snapshot(0, "consistency") == "filesystem");
  CHECK(rig.of_snapshot(1, "reason") == "not-confirmed");
  CHECK(rig.of_backup("consistency") == "crash");
  CHECK(rig.of_backup("reason") == "not-confirmed");
}
