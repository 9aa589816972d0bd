// What the commands ask the API server, and what they make of answers that are long, late or refused.
#include "cli/check/check_cluster.h"
#include "cli/check/check_guests.h"
#include "cli/check/check_installation.h"
#include "cli/check/check_reads.h"
#include "cli/explain/explain_reads.h"
#include "cli/explain/explain_text.h"
#include "cli/shared/look.h"
#include "cli/status/status_reads.h"
#include "cli/status/status_text.h"
#include "freeze/lease.h"
#include "freeze/names.h"
#include "kube/list.h"
#include "test/support/catch.h"
#include "test/unit/cli/scripted_cluster.h"
#include "test/unit/cli/texts.h"

namespace snapfreeze::cli {
namespace {

using std::chrono::seconds;
using ::test::contains;
using ::test::kHome;
using ::test::parsed;
using ::test::ScriptedCluster;
using ::test::SpoiltCluster;
using ::test::text_of;

Json frozen_vmi(const std::string& name) {
  return parsed("{'metadata': {'name': '" + name + "', 'namespace': 'prod', 'uid': 'uid-" + name +
                "'}, 'status': {'phase': 'Running', 'fsFreezeStatus': 'frozen'}}");
}

TEST_CASE("a guest that reports that it is frozen, without a session, is shown when it still does 6 s later") {
  ScriptedCluster cluster;
  cluster.api.add(kube::kVirtualMachineInstances, "prod", {frozen_vmi("db1"), parsed("{'metadata': {'name': 'web'}}")});
  StatusReader reader("prod", kHome, 10);
  auto facts = cluster.status(reader);
  REQUIRE(facts);
  CHECK(facts->unheld.empty());
  CHECK(reader.doubtful());
  cluster.clock.wait(kFreezeStatusIsOld - Millis(1));
  CHECK(cluster.status(reader)->unheld.empty());
  cluster.clock.wait(Millis(1));
  facts = cluster.status(reader);
  REQUIRE(facts->unheld.size() == 1);
  CHECK(facts->unheld.front().vmi.metadata.name == "db1");
  CHECK_FALSE(reader.doubtful());
  CHECK_FALSE(status_of(*facts, 10).good());

  // KubeVirt's own snapshot freezes, too, and may.
  cluster.api.put(kube::object_path(kube::kVirtualMachines, "prod", "db1"),
                  parsed("{'status': {'snapshotInProgress': 'own'}}"));
  facts = cluster.status(reader);
  CHECK(facts->unheld.front().kubevirt_snapshot == "own");
  CHECK(status_of(*facts, 10).good());
}

TEST_CASE("a guest that is held, or off, is not frozen without a session") {
  ScriptedCluster cluster;
  freeze::Session session;
  session.namespace_ = "prod";
  session.vm = "db1";
  session.uid = "epoch";
  session.timer = seconds(30);
  session.holds = {{freeze::Hold::Kind::kHarvester, "b", "u", 0}};
  Json lease = freeze::to_lease(session, kHome);
  cluster.api.add(kube::kLeases, kHome, {lease});
  Json off = parsed(
      "{'metadata': {'name': 'old', 'namespace': 'prod', 'uid': 'x'}, 'status': {'phase': 'Failed', "
      "'fsFreezeStatus': 'frozen'}}");
  cluster.api.add(kube::kVirtualMachineInstances, "prod", {frozen_vmi("db1"), off});
  StatusReader reader("prod", kHome, 10);
  const auto facts = cluster.status(reader);
  REQUIRE(facts);
  CHECK(facts->sessions.size() == 1);
  CHECK_FALSE(reader.doubtful());
}

TEST_CASE("thousands of objects are read in pages, sessions in parts that fit into a URL") {
  ScriptedCluster cluster;
  std::vector<Json> leases;
  std::vector<Json> backups;
  for (int i = 0; i < 300; ++i) {
    freeze::Session session;
    session.namespace_ = "prod";
    session.vm = "vm" + std::to_string(i);
    session.timer = seconds(30);
    session.holds = {{freeze::Hold::Kind::kHarvester, "b", "u", 0}};
    Json lease = freeze::to_lease(session, kHome);
    Json metadata = lease["metadata"];
    metadata.set("uid", "00000000-0000-4000-8000-" + std::to_string(100000000000 + i));
    lease.set("metadata", metadata);
    leases.push_back(lease);
  }
  for (int i = 0; i < 4000; ++i) backups.push_back(parsed("{'metadata': {'name': 'b" + std::to_string(i) + "'}}"));
  cluster.api.add(kube::kLeases, kHome, leases);
  cluster.api.add(kube::kHarvesterBackups, "prod", backups);
  const auto facts = cluster.status();
  REQUIRE(facts);
  CHECK(facts->sessions.size() == 300);
  CHECK(facts->backups.size() == 4000);
  CHECK(cluster.api.longest_list == kube::kListPage);
  for (const kube::Request& call : cluster.api.calls) CHECK(call.target.size() < 4000);
}

TEST_CASE("status says by name what it may not see, and does not call that complete") {
  ScriptedCluster cluster;
  SECTION("guests") {
    cluster.api.refuse("virtualmachineinstances");
    const auto facts = cluster.status();
    REQUIRE(facts);
    CHECK(contains(text_of(facts->unseen),
                   "guests that are frozen without a session: cannot list virtualmachineinstances.kubevirt.io: "));
    CHECK_FALSE(status_of(*facts, 10).complete());
    CHECK(to_text(status_of(*facts, 10), {}).starts_with("No guest is held.\n"));
  }
  SECTION("sessions") {
    cluster.api.refuse("leases");
    const auto facts = cluster.status();
    REQUIRE(facts);
    CHECK(contains(facts->trouble, "cannot list leases.coordination.k8s.io: "));
    CHECK_FALSE(status_of(*facts, 10).complete());
  }
  SECTION("the leader alone: that is not to say that nothing is installed") {
    cluster.api.refuse(freeze::kLeaderLease);
    const auto facts = cluster.status();
    REQUIRE(facts);
    CHECK_FALSE(contains(to_text(status_of(*facts, 10), {}), "Not installed"));
    CHECK_FALSE(status_of(*facts, 10).complete());
  }
  SECTION("backups") {
    cluster.api.refuse("virtualmachinebackups");
    const auto facts = cluster.status();
    REQUIRE(facts);
    CHECK(contains(text_of(facts->unseen), "cannot list virtualmachinebackups.harvesterhci.io: "));
    CHECK_FALSE(status_of(*facts, 10).complete());
  }
}

TEST_CASE("status and explain name who spoiled a verdict, and Harvester's own error with its time") {
  SpoiltCluster cluster;
  const auto facts = cluster.status();
  REQUIRE(facts);
  const std::string text = to_text(status_of(*facts, 10), {});
  CAPTURE(text);
  CHECK(contains(text,
                 "other-backup: backup shared, which made its snapshot shared-0 at 2026-11-24T02:00:05Z; "
                 "backup weekly, which failed at 2026-11-24T02:00:06Z: failed to freeze"));
  CHECK(contains(text, "shared-disk: pod copy, which uses the disk db1-data"));
  CHECK(contains(text, "HARVESTER'S ERROR\nprod        weekly "));
  const Json json = to_json(status_of(*facts, 10));
  for (const Json& backup : json["backups"].items()) {
    if (backup["name"].string() != "weekly") continue;
    CHECK(backup["error"].string() == "failed to freeze");
    CHECK(backup["errorTime"].string() == "2026-11-24T02:00:06Z");
  }

  const auto explained = cluster.explained("nightly");
  REQUIRE(explained);
  CHECK(contains(to_text(explain(*explained), false),
                 "  other-backup: backup weekly, which failed at 2026-11-24T02:00:06Z: failed to freeze\n"));
  const std::string shared = to_text(explain(*cluster.explained("shared")), false);
  CHECK(contains(shared, "  shared-disk: pod copy, which uses the disk db1-data\n"));
  const std::string failed = to_text(explain(*cluster.explained("weekly")), false);
  CHECK(contains(failed, "Harvester's own error: failed to freeze (at 2026-11-24T02:00:06Z)\n"));
  CHECK(contains(failed, "2026-11-24T02:00:06Z      Harvester says that the backup failed: failed to freeze\n"));
}

TEST_CASE("who spoiled a verdict is looked for once, unless something could not be seen") {
  SpoiltCluster cluster;
  StatusReader reader("prod", kHome, 10);
  const auto pods = [&] { return cluster.api.calls_of("/pods"); };
  REQUIRE(cluster.status(reader));
  REQUIRE(pods() == 1);
  CHECK_FALSE(cluster.status(reader)->spoilers.empty());
  CHECK(pods() == 1);
  StatusReader blind("prod", kHome, 10);
  cluster.api.refuse("/pods");
  CHECK(contains(text_of(cluster.status(blind)->unseen), "cannot list pods: "));
  REQUIRE(cluster.status(blind));
  CHECK(pods() == 3);
}

TEST_CASE("explain says by name what it may not see") {
  SpoiltCluster cluster;
  for (const char* part : {"events", "/leases/", "/pods", "longhorn.io", "snapcontent"}) cluster.api.refuse(part);
  const auto facts = cluster.explained("shared");
  REQUIRE(facts);
  const std::string text = to_text(explain(*facts), false);
  CAPTURE(text);
  for (const char* what : {"not seen: cannot list events: ", "not seen: cannot list pods: ",
                           "not seen: whether the guest is still frozen: cannot get its Lease: ",
                           "not seen: what snapshots.longhorn.io say of the captures: ",
                           "not seen: what volumesnapshotcontents.snapshot.storage.k8s.io say of the captures: "}) {
    CAPTURE(what);
    CHECK(contains(text, what));
  }
}

TEST_CASE("without a view of Harvester's kinds, absent or forbidden, labelled snapshots are shown all the same") {
  constexpr char kHarvesters[] = "/apis/harvesterhci.io/";
  const int status = GENERATE(404, 403, 401);
  ScriptedCluster cluster;
  cluster.api.add(kube::kVolumeSnapshots, "prod",
                  {parsed("{'metadata': {'name': 's', 'namespace': 'prod', 'uid': 'u', 'creationTimestamp': "
                          "'2026-10-10T02:00:00Z', 'labels': {'snapfreeze.harvesterhci.io/backup': 'nightly', "
                          "'snapfreeze.harvesterhci.io/epoch': 'e'}, 'annotations': {'snapfreeze.harvesterhci.io/vm': "
                          "'db1', 'snapfreeze.harvesterhci.io/consistency': 'filesystem'}}}")});
  cluster.api.refuse(kHarvesters, status);
  const auto facts = cluster.status();
  const auto explained = cluster.explained("nightly");
  if (status == 401) {  // nothing can be seen with bad credentials
    CHECK_FALSE(facts);
    CHECK_FALSE(explained);
    return;
  }
  REQUIRE(facts);
  REQUIRE(newest_backups(*facts, 10).size() == 1);
  const Status shown = status_of(*facts, 10);
  REQUIRE(explained);
  CHECK(contains(to_text(explain(*explained), false), "labelled snapshots prod/nightly of VM db1: filesystem"));
  const bool forbidden = status == 403;
  CHECK(contains(text_of(facts->unseen), "Harvester's backups: cannot list virtualmachinebackups.harvesterhci.io: ") ==
        forbidden);
  CHECK(shown.complete() == !forbidden);
  CHECK(contains(text_of(explained->unseen), "whether Harvester has a backup of that name: ") == forbidden);
  const auto none = cluster.explained("none");
  REQUIRE_FALSE(none);
  CHECK(none.error().code == (forbidden ? Code::kForbidden : Code::kNotFound));
}

TEST_CASE("of a label that is used every night, the newest backup is explained") {
  ScriptedCluster cluster;
  std::vector<Json> snapshots;
  for (int night = 10; night < 30; ++night) {
    for (int disk = 0; disk < 60; ++disk) {
      const std::string name = std::to_string(night) + "-" + std::to_string(disk);
      const std::string verdict = night == 29 ? "filesystem" : "crash";
      snapshots.push_back(parsed("{'metadata': {'name': 's-" + name + "', 'namespace': 'prod', 'uid': 'u-" + name +
                                 "', 'creationTimestamp': '2026-10-" + std::to_string(night) +
                                 "T02:00:00Z', 'labels': {'snapfreeze.harvesterhci.io/backup': 'nightly', "
                                 "'snapfreeze.harvesterhci.io/epoch': 'e" +
                                 std::to_string(night) +
                                 "'}, 'annotations': {'snapfreeze.harvesterhci.io/vm': 'db1', "
                                 "'snapfreeze.harvesterhci.io/consistency': '" +
                                 verdict + "'}}}"));
    }
  }
  cluster.api.add(kube::kVolumeSnapshots, "prod", snapshots);
  cluster.api.add(kube::kEvents, "prod", {});
  const auto facts = cluster.explained("nightly");
  REQUIRE(facts);
  CHECK(facts->disks.size() == 60);
  const std::string text = to_text(explain(*facts), false);
  CHECK(contains(text, "labelled snapshots prod/nightly of VM db1: filesystem\n"));
  CHECK(contains(text, "not shown: 19 earlier backups with the same label"));
  CHECK(cluster.api.longest_list == kube::kListPage);
  // Each night is a line of its own.
  const auto status = cluster.status();
  REQUIRE(status);
  const auto lines = newest_backups(*status, 100);
  CHECK(lines.size() == 20);
  CHECK(lines.front().verdict->consistency == freeze::Consistency::kFilesystem);
  CHECK(lines.back().verdict->consistency == freeze::Consistency::kCrash);
}

TEST_CASE("a backup that names more disks than a VM can have does not keep explain busy") {
  ScriptedCluster cluster;
  std::string names;
  for (int i = 0; i < 3000; ++i) names += std::string(i == 0 ? "" : ", ") + "{'name': 's" + std::to_string(i) + "'}";
  cluster.api.put(kube::object_path(kube::kHarvesterBackups, "prod", "b"),
                  parsed("{'metadata': {'name': 'b'}, 'status': {'volumeBackups': [" + names + "]}}"));
  cluster.api.add(kube::kEvents, "prod", std::vector<Json>(2500, parsed("{'reportingComponent': 'kubelet'}")));
  const auto facts = cluster.explained("b");
  REQUIRE(facts);
  CHECK(facts->disks.size() == 1000);
  CHECK(contains(text_of(facts->unseen), "all but the first 1000 of 3000 snapshots"));
  CHECK(facts->events.empty());
  CHECK(cluster.api.longest_list == kube::kListPage);
}

CheckScope scope() {
  CheckScope scope;
  scope.namespace_ = "prod";
  scope.home = {kHome, Home::Known::kTold};
  return scope;
}

TEST_CASE("check says by name what it may not see") {
  ScriptedCluster cluster;
  cluster.api.put("/version", parsed("{'gitVersion': 'v1.36.0'}"));
  cluster.api.add(kube::kVirtualMachineInstances, "prod",
                  {parsed("{'metadata': {'name': 'db1', 'namespace': 'prod'}, 'status': {'phase': 'Running', "
                          "'conditions': [{'type': 'AgentConnected', 'status': 'True'}]}}")});
  const std::string part = GENERATE("virtualmachinebackups", "virtualmachineinstances", "guestosinfo", "settings");
  CAPTURE(part);
  cluster.api.refuse(part);
  Look look(cluster.api, cluster.clock);
  const auto facts = read_check(look, cluster.clock, scope());
  REQUIRE(facts);
  std::vector<Finding> findings = check_cluster(*facts);
  for (const Finding& finding : check_vms(*facts)) findings.push_back(finding);
  bool said = false;
  for (const Finding& finding : findings) {
    const bool about_it = finding.level == Finding::Level::kUnknown && contains(finding.says, part);
    said = said || about_it;
  }
  CAPTURE(to_text(findings, false));
  CHECK(said);
}

TEST_CASE("check of one VM says by name what it may not see") {
  ScriptedCluster cluster;
  cluster.api.put(kube::object_path(kube::kVirtualMachineInstances, "prod", "db1"),
                  parsed("{'metadata': {'name': 'db1', 'namespace': 'prod'}, 'status': {'phase': 'Running', "
                         "'conditions': [{'type': 'AgentConnected', 'status': 'True'}]}}"));
  cluster.api.put(kube::object_path(kube::kGuestCalls, "prod", "db1", "guestosinfo"), Json::object());
  const std::string part = GENERATE("", "/pods", "virtualmachinesnapshots", "backup.kubevirt.io", "guestosinfo",
                                    "/leases/", "/namespaces/prod/virtualmachines");
  CAPTURE(part);
  if (!part.empty()) cluster.api.refuse(part);
  Look look(cluster.api, cluster.clock);
  const auto findings = read_foretold(look, cluster.clock, {kHome, Home::Known::kTold}, "prod", "db1");
  if (part == "/namespaces/prod/virtualmachines") {
    // Of the VM itself nothing is known then.
    CHECK_FALSE(findings);
    return;
  }
  REQUIRE(findings);
  CAPTURE(to_text(*findings, false));
  CHECK(has(*findings, Finding::Level::kUnknown) == !part.empty());
}

}  // namespace
}  // namespace snapfreeze::cli
