// An old version beside a new one: here the old one is this one, and what the new one writes is of a format that this
// one does not know.
#include "test/sim/story.h"
#include "test/support/catch.h"

using namespace snapfreeze;
using namespace std::chrono_literals;
using sim::Story;

namespace {

constexpr char kLeaseOfVm[] = "/apis/coordination.k8s.io/v1/namespaces/snapfreeze/leases/vms.vm1";
constexpr char kMergePatch[] = "application/merge-patch+json";
constexpr char kSnapshots[] = "snapshot.storage.k8s.io/volumesnapshots";

cluster::Json format(const cluster::Json& number) {
  return {{"metadata", {{"annotations", {{"snapfreeze.harvesterhci.io/format", number}}}}}};
}

// A backup under way, whose session a newer version has just written.
struct Versions : Story {
  Versions() {
    cut_after(3000ms);
    leader = &lead();
    start_sweeper("sweeper-1");
    backup("b1");
    sleep(1s);
    REQUIRE(frozen());
    REQUIRE(cluster.call("newer", "PATCH", kLeaseOfVm, format("2"), kMergePatch).status == 200);
    lease = sessions().front();
  }

  sim::SweeperProcess* leader = nullptr;
  cluster::Json lease;
};

}  // namespace

TEST_CASE("a session of a newer version is neither thawed nor written, judged nor rescued, whoever leads") {
  Versions story;
  story.sleep(40s);
  CHECK_FALSE(story.frozen());  // KubeVirt's own timer
  CHECK(story.longest_frozen() >= 29s);
  story.kill("sweeper-0");
  story.sleep(120s);
  CHECK(story.sessions() == std::vector<cluster::Json>{story.lease});
  CHECK(story.calls("sweeper-0", "unfreeze") == 0);
  CHECK(story.calls("sweeper-1", "unfreeze") == 0);
  CHECK(story.note(kSnapshots, "b1-volume-vm1-disk-0", "consistency").empty());
  CHECK(story.consistency("b1").empty());
}

TEST_CASE(
    "while a newer version has a session of a guest, its other backups go on without a freeze, and it is told of") {
  Versions story;
  story.sleep(40s);
  story.backup("b2");
  REQUIRE(story.wait_for_verdict("b2"));
  CHECK(story.reason("b2") == "newer-format");
  CHECK(story.sessions() == std::vector<cluster::Json>{story.lease});
  const std::string told = R"(snapfreeze_sessions{phase="NewerFormat"} 1)";
  CHECK(story.leader->metrics.exposition().find(told) != std::string::npos);
}

TEST_CASE("a session that the newer version hands back is ended as always") {
  Versions story;
  story.sleep(5s);
  REQUIRE(story.cluster.call("newer", "PATCH", kLeaseOfVm, format(nullptr), kMergePatch).status == 200);
  REQUIRE(story.wait_for_verdict("b1"));
  CHECK(story.wait_for_no_session());
  CHECK_FALSE(story.frozen());
  CHECK(story.unrecorded().empty());
}

TEST_CASE("a session that an older version wrote, without a format, is held and judged as always") {
  Story story;
  story.cut_after(3000ms);
  story.lead();
  story.backup("b1");
  story.sleep(1s);
  REQUIRE(story.cluster.call("older", "PATCH", kLeaseOfVm, format(nullptr), kMergePatch).status == 200);
  REQUIRE(story.wait_for_verdict("b1"));
  CHECK(story.consistency("b1") == "filesystem");
  CHECK(story.wait_for_no_session());
}

TEST_CASE("the newer version's Lease that an admin deletes is not begun again") {
  Versions story;
  REQUIRE(story.cluster.call("admin", "DELETE", kLeaseOfVm).status == 200);
  story.sleep(10s);
  CHECK(story.sessions().empty());
  CHECK(story.calls("sweeper-0", "unfreeze") == 0);
  story.sleep(60s);
  CHECK(story.note(kSnapshots, "b1-volume-vm1-disk-0", "reason") == "session-lost");
}
