// Who is behind a reason, after the fact.
#include "cli/shared/spoilers.h"

#include "base/time.h"
#include "freeze/names.h"
#include "test/support/catch.h"

namespace snapfreeze::cli {
namespace {

using Phrases = std::vector<std::string>;
using std::chrono::hours;
using std::chrono::seconds;
namespace reason = freeze::reason;

const Wall kStart = *parse_time("2026-11-24T02:00:00Z");

// Two disks, frozen for 20 s.
Spoiled spoiled() {
  return spoiled_backup("db1", "uid-nightly",
                        std::vector<MadeSnapshot>{{"nightly-0", "uid-nightly", "db1-root", kStart},
                                                  {"nightly-1", "uid-nightly", "db1-data", kStart + seconds(2)}},
                        "20s");
}

kube::BackupView other(std::chrono::seconds created) {
  kube::BackupView view;
  view.metadata.name = "weekly";
  view.metadata.uid = "uid-weekly";
  view.metadata.creation_timestamp = kStart + created;
  view.source_name = "db1";
  view.snapshot_names = {"weekly-0"};
  return view;
}

Others with(const kube::BackupView& backup) {
  Others others;
  others.backups = {backup};
  return others;
}

TEST_CASE("another backup is behind it if it acted while the guest was frozen, or just before") {
  const auto named = [](const Others& others) { return spoilers_of(reason::kOtherBackup, spoiled(), others); };
  const Phrases nobody{"whatever it was is gone by now"};
  CHECK(named(with(other(seconds(0)))) == Phrases{"backup weekly, which was created at 2026-11-24T02:00:00Z"});
  // The session began at most 15 s before its first snapshot was stored, and 5 s more count.
  CHECK(named(with(other(seconds(-20)))).front().starts_with("backup weekly"));
  CHECK(named(with(other(seconds(-21)))) == nobody);
  CHECK(named(with(other(seconds(22)))).front().starts_with("backup weekly"));
  CHECK(named(with(other(seconds(23)))) == nobody);

  Others made = with(other(-hours(3)));
  made.backups.front().ready = true;
  made.snapshots = {{"weekly-0", "uid-weekly", "db1-root", kStart + seconds(1)}};
  CHECK(named(made) == Phrases{"backup weekly, which made its snapshot weekly-0 at 2026-11-24T02:00:01Z"});
  made.snapshots.front().created = kStart - hours(3);
  CHECK(named(made) == nobody);

  kube::BackupView failing = other(-hours(30));
  failing.error = "failed to freeze";
  failing.error_time = kStart + seconds(3);
  CHECK(named(with(failing)) == Phrases{"backup weekly, which failed at 2026-11-24T02:00:03Z: failed to freeze"});
  // It has tried again since, and has written over when it tried before.
  failing.error_time = kStart + hours(1);
  CHECK(named(with(failing)) == Phrases{"backup weekly, which failed at 2026-11-24T03:00:00Z: failed to freeze"});
  failing.error_time = kStart - hours(1);
  CHECK(named(with(failing)) == nobody);
  failing.error_time = kStart + hours(1);
  Others complete = with(failing);
  complete.snapshots = {{"weekly-0", "uid-weekly", "db1-root", kStart - hours(30)}};
  CHECK(named(complete) == nobody);
}

TEST_CASE("a backup that never came so far as to freeze is behind nothing") {
  kube::BackupView stillborn = other(seconds(0));
  stillborn.snapshot_names.clear();
  stillborn.error = "the source VM does not exist";
  stillborn.error_time = kStart;
  CHECK(other_backups(spoiled(), with(stillborn)).empty());
  CHECK(backups_to_be_retried(spoiled(), with(stillborn)).empty());
  stillborn.harvester_froze = true;
  CHECK(other_backups(spoiled(), with(stillborn)).size() == 1);
  CHECK(backups_to_be_retried(spoiled(), with(stillborn)).size() == 1);
}

TEST_CASE("neither the backup itself nor one of another VM is behind it") {
  kube::BackupView own = other(seconds(0));
  own.metadata.uid = "uid-nightly";
  kube::BackupView of_another = other(seconds(0));
  of_another.source_name = "web";
  Others others = with(own);
  others.backups.push_back(of_another);
  CHECK(other_backups(spoiled(), others).empty());
}

TEST_CASE("KubeVirt's snapshot or backup is named, and how long it went on") {
  Others others;
  freeze::Freezer snapshot;
  snapshot.name = "hourly";
  snapshot.vm = "db1";
  snapshot.created = kStart - seconds(30);
  snapshot.over = true;
  snapshot.ended = kStart + seconds(5);
  others.kubevirt_snapshots = {snapshot};
  CHECK(spoilers_of(reason::kKubevirtSnapshot, spoiled(), others) ==
        Phrases{"KubeVirt's snapshot hourly, until 2026-11-24T02:00:05Z"});
  others.kubevirt_snapshots.front().created = kStart + hours(1);
  others.kubevirt_snapshots.front().ended = kStart + hours(2);
  CHECK(kubevirt_freezers(spoiled(), others).empty());
}

TEST_CASE("whose a disk is that is not the VM's") {
  Others others;
  kube::VmView own;
  own.metadata.name = "db1";
  own.claims = {"db1-root"};
  others.vms = {own};
  CHECK(spoilers_of(reason::kNotItsDisk, spoiled(), others) == Phrases{"the disk db1-data, which no VM has"});
  kube::VmView web;
  web.metadata.name = "web";
  web.claims = {"db1-data"};
  others.vms.push_back(web);
  CHECK(spoilers_of(reason::kNotItsDisk, spoiled(), others) == Phrases{"VM web, which has the disk db1-data"});
}

TEST_CASE("what could not be read is not called gone") {
  Others others;
  others.unseen = {"cannot list pods"};
  CHECK(spoilers_of(reason::kSharedDisk, spoiled(), others).empty());
  others.unseen.clear();
  CHECK(spoilers_of(reason::kSharedDisk, spoiled(), others).size() == 1);
}

TEST_CASE("reasons that point at nobody need nothing to be read") {
  for (const freeze::Reason& one : freeze::kReasons) {
    Wanted wanted;
    wanted.add(one.name);
    CAPTURE(one.name);
    CHECK(spoilers_of(one.name, spoiled(), {}).empty() ==
          (!wanted.any() || one.name == std::string("lapsed") || one.name == std::string("frozen-by-other")));
  }
}

}  // namespace
}  // namespace snapfreeze::cli
