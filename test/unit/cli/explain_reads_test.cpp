// What `explain` asks the API server, and what it makes of answers that are long or refused.
#include "cli/explain/explain_reads.h"

#include "cli/explain/explain_text.h"
#include "cli/status/status_text.h"
#include "kube/list.h"
#include "test/support/catch.h"
#include "test/unit/cli/scripted_cluster.h"
#include "test/unit/cli/texts.h"

namespace snapfreeze::cli {
namespace {

using ::test::contains;
using ::test::parsed;
using ::test::ScriptedCluster;
using ::test::SpoiltCluster;
using ::test::text_of;

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

}  // namespace
}  // namespace snapfreeze::cli
