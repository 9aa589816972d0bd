// The verdict of each snapshot and of the backup.
#include "test/unit/sweeper/conclude_rig.h"

namespace conclude_test {

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;
using namespace snapfreeze::sweeper;
using freeze::Consistency;
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

TEST_CASE("a backup of a guest that runs is not at rest, whatever is said of its disks") {
  ConcludeRig rig;
  for (const Member& member : rig.job.members) rig.job.holds[0].elsewhere[member.name] = {Consistency::kOffline};
  rig.job.members.clear();
  rig.conclude();
  CHECK(rig.of_backup("consistency") == "crash");
  CHECK(rig.of_backup("reason") == "started");
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

}  // namespace conclude_test
