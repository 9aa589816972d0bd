// What `status` shows, of facts that are written down here.
#include <string>

#include "cli/shared/table.h"
#include "cli/shared/yaml.h"
#include "cli/status/status_text.h"
#include "freeze/names.h"
#include "test/support/catch.h"
#include "test/unit/cli/program.h"

namespace snapfreeze::cli {
namespace {

constexpr Wall kNow{std::chrono::seconds(1795000000)};

using std::chrono::hours;
using std::chrono::seconds;

freeze::Session session(const std::string& vm, seconds ago, freeze::Phase phase = freeze::Phase::kFrozen) {
  freeze::Session session;
  session.lease = "prod." + vm;
  session.uid = "epoch-" + vm;
  session.created = kNow - ago;
  session.namespace_ = "prod";
  session.vm = vm;
  session.timer = seconds(30);
  session.phase = phase;
  session.holds = {{freeze::Hold::Kind::kHarvester, "nightly-" + vm, "uid-nightly-" + vm, 0}};
  return session;
}

kube::BackupView backup(const std::string& name, const std::string& vm, seconds ago, bool ready,
                        const std::string& consistency, const std::string& reason = "") {
  kube::BackupView view;
  view.metadata.name = name;
  view.metadata.namespace_ = "prod";
  view.metadata.uid = "uid-" + name;
  view.metadata.creation_timestamp = kNow - ago;
  if (!consistency.empty()) view.metadata.annotations[freeze::kConsistency] = consistency;
  if (!reason.empty()) view.metadata.annotations[freeze::kReason] = reason;
  if (consistency == "filesystem") view.metadata.annotations[freeze::kFrozenFor] = "1.3s";
  view.source_name = vm;
  view.type = "backup";
  view.ready = ready;
  view.snapshot_names = {name + "-disk-0", name + "-disk-1", name + "-disk-2"};
  return view;
}

kube::SnapshotView snapshot(const std::string& name, const std::string& epoch, bool captured = false) {
  kube::SnapshotView view;
  view.metadata.name = name;
  view.metadata.namespace_ = "prod";
  view.metadata.uid = "uid-" + name;
  view.metadata.labels[freeze::kEpochLabel] = epoch;
  view.captured = captured;
  return view;
}

kube::SnapshotView labelled(const std::string& name, const std::string& consistency, const std::string& reason = "") {
  kube::SnapshotView view = snapshot(name, "epoch-gone", true);
  view.metadata.creation_timestamp = kNow - hours(3);
  view.metadata.labels[freeze::kBackupLabel] = "velero-7";
  view.metadata.annotations[freeze::kVmAnnotation] = "mail";
  if (!consistency.empty()) view.metadata.annotations[freeze::kConsistency] = consistency;
  if (!reason.empty()) view.metadata.annotations[freeze::kReason] = reason;
  view.ready = true;
  return view;
}

StatusFacts facts() {
  StatusFacts facts;
  facts.now = kNow;
  facts.system_namespace = "snapfreeze-system";
  facts.installed = true;
  return facts;
}

StatusFacts busy() {
  StatusFacts all = facts();
  all.sessions = {session("db1", seconds(4)), session("old", seconds(200)),
                  session("web", seconds(75), freeze::Phase::kResting)};
  all.snapshots = {snapshot("nightly-db1-disk-0", "epoch-db1", true), snapshot("nightly-db1-disk-1", "epoch-db1"),
                   labelled("v0", "filesystem"), labelled("v1", "crash", "cut-too-late")};
  all.captured = {"uid-nightly-db1-disk-1"};
  all.backups = {backup("nightly-db1", "db1", seconds(5), false, ""),
                 backup("weekly", "db1", hours(50), true, "filesystem"),
                 backup("before-us", "db1", hours(24 * 30), true, ""),
                 backup("nightly-web", "web", seconds(76), false, "crash", "lapsed"),
                 backup("nightly-off", "off", hours(1), true, "offline")};
  return all;
}

TEST_CASE("frozen guests and backups in a table") {
  const Status status = status_of(busy(), 10);
  ::test::check_golden("status.txt", to_text(status, {}));
  ::test::check_golden("status-wide.txt", to_text(status, {true, false}));
  ::test::check_golden("status.json", to_json(status).dump() + "\n");
  ::test::check_golden("status.yaml", to_yaml(to_json(status)));
}

TEST_CASE("colours are added, and nothing else is changed by them") {
  const Status status = status_of(busy(), 10);
  std::string text = to_text(status, {false, true});
  CHECK(text.find("\033[31mOVERDUE\033[0m") != std::string::npos);
  for (std::size_t at = 0; (at = text.find('\033')) != std::string::npos;) text.erase(at, text.find('m', at) - at + 1);
  CHECK(text == to_text(status, {}));
}

TEST_CASE("a guest is overdue when its timer, and all that may come late, is over") {
  const auto overdue = [](seconds ago, freeze::Phase phase) {
    StatusFacts one = facts();
    one.sessions = {session("db1", ago, phase)};
    const Status status = status_of(one, 10);
    CHECK(status.good() == !status.frozen.front().overdue);
    return status.frozen.front().overdue;
  };
  CHECK_FALSE(overdue(seconds(30), freeze::Phase::kFrozen));
  CHECK_FALSE(overdue(seconds(90), freeze::Phase::kThawing));
  CHECK(overdue(seconds(91), freeze::Phase::kFrozen));
  CHECK(overdue(seconds(91), freeze::Phase::kThawing));
  CHECK_FALSE(overdue(seconds(91), freeze::Phase::kResting));
}

TEST_CASE("a guest that is frozen without a session is shown first, with whoever may have frozen it") {
  StatusFacts all = busy();
  UnheldGuest unheld;
  unheld.vmi.metadata.name = "mail";
  unheld.vmi.metadata.namespace_ = "prod";
  all.unheld = {unheld};
  all.backups.push_back(backup("weekly-mail", "mail", seconds(70), false, ""));
  all.backups.back().harvester_froze = true;
  all.backups.back().error = "failed to freeze the guest: timeout";
  all.backups.back().error_time = kNow - seconds(61);
  const Status status = status_of(all, 10);
  ::test::check_golden("status-no-session.txt", to_text(status, {}));
  CHECK_FALSE(status.good());
  const Json first = to_json(status)["frozen"].items().front();
  CHECK(first["phase"].string() == "NoSession");
  CHECK(first["since"].is_null());
  CHECK(first["backups"].items().front().string() == "weekly-mail");

  StatusFacts snapshotted = facts();
  unheld.kubevirt_snapshot = "hourly";
  snapshotted.unheld = {unheld};
  CHECK(status_of(snapshotted, 10).good());
  CHECK(status_of(snapshotted, 10).frozen.front().backups.front() == "kubevirt/hourly");
  CHECK(to_text(status_of(snapshotted, 10), {}).find("`snapfreeze thaw`") == std::string::npos);
  // Harvester's annotation speaks of the last disk only.
  all.backups.back().harvester_froze = false;
  all.backups.back().snapshot_names = {"weekly-mail-0"};
  CHECK(status_of(all, 10).frozen.front().backups.front() == "weekly-mail");
  // One with a session is no such guest, whatever it reports.
  StatusFacts held = busy();
  unheld.vmi.metadata.name = "db1";
  held.unheld = {unheld};
  CHECK(status_of(held, 10).frozen.size() == busy().sessions.size());
}

TEST_CASE("Harvester's error is shown as long as the backup is not ready") {
  StatusFacts all = facts();
  all.backups = {backup("b", "db1", hours(1), false, "crash", "late")};
  all.backups.front().error = "the pool is full";
  CHECK(status_of(all, 10).backups.front().error == "the pool is full");
  all.backups.front().ready = true;
  CHECK(status_of(all, 10).backups.front().error.empty());
}

TEST_CASE("what is not installed, or not to be seen, is not called fine") {
  StatusFacts none = facts();
  CHECK(status_of(none, 10).good());
  CHECK(to_text(status_of(none, 10), {}) == "No guest is frozen.\n\nNo backups.\n");
  none.installed = false;
  CHECK_FALSE(status_of(none, 10).good());
  CHECK(to_text(status_of(none, 10), {}).starts_with("Not installed: namespace snapfreeze-system "));
  StatusFacts hidden = facts();
  hidden.trouble = "leases is forbidden";
  CHECK_FALSE(status_of(hidden, 10).good());
  CHECK(to_text(status_of(hidden, 10), {}).starts_with("Guests frozen now: not known. leases is forbidden\n"));
  CHECK(to_json(status_of(hidden, 10))["frozen"].is_null());
}

TEST_CASE("labelled snapshots are one backup, without a verdict until each has one") {
  StatusFacts all = facts();
  all.snapshots = {labelled("v0", "filesystem"), labelled("v1", "")};
  CHECK_FALSE(status_of(all, 10).backups.front().verdict);
  all.snapshots = {labelled("v0", "filesystem"), labelled("v1", "filesystem")};
  CHECK(status_of(all, 10).backups.front().verdict == freeze::Verdict{freeze::Consistency::kFilesystem});
  CHECK(status_of(all, 10).backups.front().vm == "mail");
  // What only asks for a freeze was never admitted by us.
  all.snapshots.front().metadata.labels.erase(freeze::kEpochLabel);
  all.snapshots.pop_back();
  CHECK(status_of(all, 10).backups.empty());
}

TEST_CASE("no more backups than asked for, the newest") {
  const Status status = status_of(busy(), 2);
  REQUIRE(status.backups.size() == 2);
  CHECK(status.backups.front().name == "nightly-db1");
  CHECK(status.backups.back().name == "nightly-web");
}

TEST_CASE("what comes from the cluster does not steer a terminal") {
  StatusFacts all = facts();
  all.backups = {backup("x", "vm\033[2J", seconds(1), true, "crash", "a\nb")};
  const std::string text = to_text(status_of(all, 10), {});
  CHECK(text.find('\033') == std::string::npos);
  CHECK(text.find("a?b") != std::string::npos);
}

TEST_CASE("columns are as wide as what people see of them") {
  CHECK(to_table({"A", "B"}, {{{"é"}, {"1"}}, {{"xyz"}, {""}}}, false) == "A     B\né     1\nxyz   -\n");
}

TEST_CASE("YAML says what JSON says") {
  CHECK(to_yaml(Json::object()) == "{}\n");
  CHECK(to_yaml(Json("no")) == "\"no\"\n");
  const Json nested = Json::object({{"list", Json::array({Json::array({1, 2}), Json::object({{"a/b", nullptr}}), "y"})},
                                    {"empty", Json::array()},
                                    {"y", true}});
  CHECK(to_yaml(nested) == "list:\n  - - 1\n    - 2\n  - \"a/b\": null\n  - \"y\"\nempty: []\n\"y\": true\n");
}

}  // namespace
}  // namespace snapfreeze::cli
