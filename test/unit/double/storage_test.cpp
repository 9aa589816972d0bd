// When the storage cuts, and when each object says so.
#include <stdexcept>

#include "test/support/catch.h"
#include "test/unit/double/test_world.h"

using namespace cluster;
using namespace std::chrono_literals;

namespace {

struct Disk : World {
  explicit Disk(const DiskOptions& options = {}) {
    cluster.storage().set_default(options);
    REQUIRE(cluster.create_snapshot("tenant", "vms", "s1", "vm1-disk-0").status == 201);
    uid = snapshot("s1")["metadata"]["uid"];
  }
  void remove() {
    cluster.call("admin", "DELETE", "/apis/snapshot.storage.k8s.io/v1/namespaces/vms/volumesnapshots/s1");
  }
  Json status() { return snapshot("s1").value("status", Json::object()); }
  Json content() { return cluster.get("snapshot.storage.k8s.io/volumesnapshotcontents", "", "snapcontent-" + uid); }
  Json longhorn() { return cluster.get("longhorn.io/snapshots", "longhorn-system", "snapshot-" + uid); }
  std::string uid;
};

}  // namespace

TEST_CASE("the content names its snapshot, and says the cut before the snapshot does") {
  Disk disk;
  disk.runtime.sleep_for(40ms);
  CHECK(disk.content()["spec"]["volumeSnapshotRef"]["uid"] == disk.uid);
  CHECK_FALSE(disk.content().value("status", Json::object()).contains("creationTime"));
  disk.runtime.sleep_for(20ms);
  CHECK(disk.content()["status"]["creationTime"].is_number_integer());
  CHECK_FALSE(disk.status().contains("creationTime"));
  disk.runtime.sleep_for(980ms);
  CHECK(disk.status()["creationTime"].is_string());
  CHECK(disk.status()["readyToUse"] == true);
  CHECK(disk.status()["boundVolumeSnapshotContentName"] == "snapcontent-" + disk.uid);
}

TEST_CASE("Longhorn's own object says the cut at once, its content seconds later") {
  DiskOptions options;
  options.style = StorageStyle::kLonghorn;
  Disk disk(options);
  disk.runtime.sleep_for(60ms);
  CHECK(disk.longhorn()["status"]["requestedTime"].is_string());
  CHECK(disk.longhorn()["status"]["creationTime"].is_null());
  disk.runtime.sleep_for(8s);
  CHECK(disk.longhorn()["status"]["creationTime"].is_string());
  CHECK(disk.content()["status"]["creationTime"].is_number_integer());
}

TEST_CASE("an older Longhorn says it only after its engine monitor") {
  DiskOptions options;
  options.style = StorageStyle::kOldLonghorn;
  Disk disk(options);
  disk.runtime.sleep_for(8s);
  CHECK_FALSE(disk.longhorn()["status"].contains("requestedTime"));
  CHECK(disk.longhorn()["status"]["creationTime"].is_string());
}

TEST_CASE("an error is interim: the cut comes with a later attempt") {
  DiskOptions options;
  options.interim_errors = 2;
  Disk disk(options);
  disk.runtime.sleep_for(1s);
  CHECK(disk.status()["error"]["message"].is_string());
  CHECK(disk.when("cut") == -1);
  disk.runtime.sleep_for(5s);
  CHECK(disk.when("cut") == 4050);
  CHECK_FALSE(disk.status().contains("error"));
}

TEST_CASE("errors may never end") {
  DiskOptions failing;
  failing.fails = true;
  Disk disk(failing);
  disk.runtime.sleep_for(10min);
  CHECK(disk.status().contains("error"));
  CHECK(disk.count("cut") == 0);
}

TEST_CASE("a cut may never come, without a word") {
  DiskOptions silent;
  silent.never = true;
  Disk disk(silent);
  disk.runtime.sleep_for(10min);
  CHECK(disk.status().empty());
  CHECK(disk.count("cut") == 0);
}

TEST_CASE("readyToUse may come minutes after the cut") {
  DiskOptions options;
  options.ready = Millis(300'000);
  Disk disk(options);
  disk.runtime.sleep_for(2s);
  CHECK(disk.status()["creationTime"].is_string());
  CHECK(disk.status()["readyToUse"] == false);
  disk.runtime.sleep_for(5min);
  CHECK(disk.status()["readyToUse"] == true);
}

TEST_CASE("creationTime may be 1970") {
  DiskOptions options;
  options.creation_time = Wall(0s);
  Disk disk(options);
  disk.runtime.sleep_for(2s);
  CHECK(disk.status()["creationTime"] == "1970-01-01T00:00:00Z");
  CHECK(disk.content()["status"]["creationTime"] == 0);
}

TEST_CASE("a snapshot deleted while its cut runs is only marked until it is cut; then it goes, and its content") {
  DiskOptions slow;
  slow.cut = Millis(5000);
  Disk disk(slow);
  disk.runtime.sleep_for(1s);
  disk.remove();
  disk.runtime.sleep_for(3s);
  CHECK(disk.snapshot("s1")["metadata"].contains("deletionTimestamp"));
  disk.runtime.sleep_for(3s);
  CHECK(disk.count("cut") == 1);
  CHECK(disk.snapshot("s1").is_null());
  CHECK(disk.content().is_null());
}

TEST_CASE("a snapshot deleted after its cut, or when it failed, goes at once") {
  DiskOptions options;
  SECTION("cut") {}
  SECTION("failed") {
    options.fails = true;
  }
  Disk disk(options);
  disk.runtime.sleep_for(3s);
  disk.remove();
  disk.runtime.sleep_for(1s);
  CHECK(disk.snapshot("s1").is_null());
  CHECK(disk.content().is_null());
}

TEST_CASE("while the API server is away disks are cut and nothing is reported; it is at the next try afterwards") {
  DiskOptions slow;
  slow.cut = Millis(1000);
  Disk disk(slow);
  disk.runtime.sleep_for(500ms);
  disk.cluster.api_down_for(Millis(5000));
  disk.runtime.sleep_for(2s);
  CHECK(disk.count("cut") == 1);
  // Tries were 1, 3 and 7 s after the cut; the API server was back 4.5 s after it.
  disk.runtime.sleep_for(4s);
  CHECK_FALSE(disk.content().value("status", Json::object()).contains("creationTime"));
  disk.runtime.sleep_for(3s);
  CHECK(disk.content()["status"].contains("creationTime"));
}

TEST_CASE("a snapshot of a content that exists already is bound without a cut") {
  World world;
  const Reply reply =
      world.cluster.call("admin", "POST", "/apis/snapshot.storage.k8s.io/v1/namespaces/vms/volumesnapshots",
                         {{"apiVersion", "snapshot.storage.k8s.io/v1"},
                          {"kind", "VolumeSnapshot"},
                          {"metadata", {{"name", "restored"}}},
                          {"spec", {{"source", {{"volumeSnapshotContentName", "old"}}}}}});
  CHECK(reply.status == 201);
  world.runtime.sleep_for(2s);
  CHECK(world.snapshot("restored")["status"]["readyToUse"] == true);
  CHECK(world.snapshot("restored")["status"]["boundVolumeSnapshotContentName"] == "old");
  CHECK(world.count("cut") == 0);
}

TEST_CASE("disk options from JSON name the field that is wrong") {
  const auto complaint = [](const Json& json) -> std::string {
    try {
      (void)disk_options_from_json(json);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "";
  };
  CHECK(disk_options_from_json({{"style", "longhorn"}, {"cut", 900}}).cut == 900ms);
  CHECK(complaint({{"kut", 1}}).find("disk.kut") == 0);
  CHECK(complaint({{"style", "nfs"}}).find("disk.style") == 0);
  CHECK(complaint({{"cut", "soon"}}).find("disk.cut") == 0);
}
