// What `status` asks the API server, and what it makes of answers that are long, late or refused.
#include "cli/status/status_reads.h"

#include "cli/explain/explain_text.h"
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

}  // namespace
}  // namespace snapfreeze::cli
