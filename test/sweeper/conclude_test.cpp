#include "test/sweeper/rig.h"

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;
using namespace snapfreeze::sweeper;
using freeze::Consistency;
using freeze::Phase;
using freeze::Session;
using End = ConcludeDone::End;
namespace reason = freeze::reason;

namespace {

// A backup of two disks, both captured in time; its guest is thawed.
struct ConcludeRig : Rig {
  ConcludeRig() : Rig(2) {
    uid = make_backup();
    Session session = begin(Phase::kThawing, uid);
    job.holds.push_back({session.holds[0], {name_of(0), name_of(1)}, {}, false, {}, {}});
    for (int i = 0; i < 2; ++i) {
      const auto object = cluster.get("snapshot.storage.k8s.io/volumesnapshots", "vms", name_of(i));
      const std::string snapshot_uid = object["metadata"]["uid"];
      session.captured[snapshot_uid] = 1000ms;
      job.members.push_back(
          {snapshot_uid, "vms", name_of(i), "vm1-disk-" + std::to_string(i), 0, at(1000ms), "", "", {}});
    }
    job.session = session;
    job.frozen_for = 1234ms;
  }

  static std::string name_of(int disk) { return "b1-volume-vm1-disk-" + std::to_string(disk); }
  ConcludeDone conclude() { return sweeper::conclude(seams, settings, job); }

  std::string uid;
  ConcludeJob job;
};

}  // namespace

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
  CHECK(rig.last_event()["regarding"]["uid"] == rig.uid);
  CHECK_FALSE(rig.on_record());
  CHECK(done.snapshots.size() == 2);
  CHECK(done.backups.size() == 1);
  CHECK(rig.calls() <= 3 + 2 + 3 + 1);  // the last one is this test's own look at the record
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
    rig.job.members[0].consistency = "crash";
    rig.job.members[0].reason = "unverified";
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
  for (Member& member : rig.job.members) member.consistency = "filesystem";
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
    rig.job.holds[0].elsewhere["b1-volume-vm1-disk-2"] = {Consistency::kOffline, ""};
    rig.conclude();
    CHECK(rig.of_backup("reason") == "started");
  }
  SECTION("a member of another freeze") {
    rename("b1-volume-vm1-disk-2");
    rig.job.holds[0].elsewhere["b1-volume-vm1-disk-2"] = {Consistency::kFilesystem, ""};
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
  CHECK(rig.cluster.get("events.k8s.io/events", "vms", "snapfreeze." + rig.job.session.uid + ".unsettled")["reason"] ==
        "ThawUnsettled");
}
