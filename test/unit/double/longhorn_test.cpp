// What Longhorn's own REST API says of a cut, and when: the true answers, and those that no caller may believe.
#include <stdexcept>

#include "test/support/catch.h"
#include "test/unit/double/test_world.h"

using namespace cluster;
using namespace std::chrono_literals;

namespace {

HttpRequest asking(const std::string& action, const Json& body, const std::string& volume) {
  HttpRequest request;
  request.method = "POST";
  request.set_target("/v1/volumes/" + volume + "?action=" + action);
  request.body = body.dump();
  return request;
}

// A cluster on Longhorn with one VM. The style stands before the VM is made, as its volume is then.
struct OnLonghorn : World {
  explicit OnLonghorn(DiskOptions options = {}) : World(VmOptions{}) {
    options.style = StorageStyle::kOldLonghorn;
    if (options.cut == DiskOptions().cut) options.cut = Millis(1500);
    cluster.storage().set_default(options);
    VmOptions vm;
    vm.name = "db";
    cluster.add_vm(vm);
    runtime.sleep_for(10ms);
    REQUIRE(cluster.create_snapshot("tenant", "vms", "s1", "db-disk-0").status == 201);
    uid = snapshot("s1")["metadata"]["uid"];
  }
  [[nodiscard]] std::string name() const { return "snapshot-" + uid; }
  BackendReply ask(const std::string& action = "snapshotGet") {
    return cluster.longhorn().answer(asking(action, {{"name", name()}}, volume));
  }
  Json get() { return ask().reply.json(); }
  Json record() { return cluster.get("longhorn.io/snapshots", "longhorn-system", name()); }
  Json content() { return cluster.get("snapshot.storage.k8s.io/volumesnapshotcontents", "", "snapcontent-" + uid); }
  void set_mood(const std::string& mood, Mono until = kNever) {
    cluster.locked([&] { cluster.longhorn().set_mood(backend_mood(mood), until); });
  }
  std::string uid;
  const std::string volume = "pvc-vms.db-disk-0";
};

}  // namespace

TEST_CASE("a claim on Longhorn names its volume, and the volume its driver") {
  OnLonghorn world;
  const Json claim = world.cluster.get("/persistentvolumeclaims", "vms", "db-disk-0");
  CHECK(claim["spec"]["volumeName"] == world.volume);
  const Json volume = world.cluster.get("/persistentvolumes", "", world.volume);
  CHECK(volume["spec"]["csi"] == Json{{"driver", "driver.longhorn.io"}, {"volumeHandle", world.volume}});
  world.runtime.sleep_for(10s);
  CHECK(world.content()["spec"]["source"]["volumeHandle"] == world.volume);
}

TEST_CASE("claims of one name in two namespaces are two volumes") {
  OnLonghorn world;
  VmOptions twin;
  twin.ns = "other";
  twin.name = "db";
  world.cluster.add_vm(twin);
  world.runtime.sleep_for(10ms);
  CHECK_FALSE(world.cluster.get("/persistentvolumes", "", "pvc-other.db-disk-0").is_null());
}

TEST_CASE("Longhorn's API says nothing before the cut, all of it at the cut, and what the records say much later") {
  OnLonghorn world;
  world.runtime.sleep_for(1400ms);
  const BackendReply before = world.ask();
  CHECK(before.reply.status == 500);
  CHECK(before.reply.json()["type"] == "error");
  CHECK(before.reply.json()["message"] ==
        "failed to get snapshot: cannot find snapshot '" + world.name() + "' for volume '" + world.volume + "'");
  world.runtime.sleep_for(100ms);
  const BackendReply after = world.ask();
  REQUIRE(after.reply.status == 200);
  const Json said = after.reply.json();
  CHECK(said["name"] == world.name());
  CHECK(said["id"] == world.name());
  CHECK(said["type"] == "snapshot");
  CHECK(said["usercreated"] == true);
  CHECK(said["removed"] == false);
  CHECK(world.record()["status"]["creationTime"].is_null());

  world.runtime.sleep_for(8s);
  CHECK(world.record()["status"]["creationTime"] == said["created"]);
  // Whole seconds, as the CSI driver has them from the record.
  CHECK(world.content()["status"]["creationTime"].get<std::int64_t>() % 1'000'000'000 == 0);
}

TEST_CASE("a call takes its time, and says what there was in the middle of it") {
  DiskOptions options;
  options.live.delay = Millis(400);
  OnLonghorn world(options);
  world.runtime.sleep_for(1400ms);
  const Mono begun = world.runtime.now();
  CHECK(world.ask().reply.status == 200);
  CHECK(world.runtime.now() - begun == 400ms);
}

TEST_CASE("a liar shows a snapshot at once, and notes another second than the cut's") {
  DiskOptions options;
  options.live.lies = true;
  options.cut = Millis(3000);
  OnLonghorn world(options);
  REQUIRE(world.ask().reply.status == 200);
  const std::string created = world.get()["created"];
  CHECK(world.count("cut") == 0);
  world.runtime.sleep_for(12s);
  CHECK(world.count("cut") == 1);
  CHECK(world.get()["created"] == created);
  CHECK(world.record()["status"]["creationTime"] > created);
}

TEST_CASE("a liar may show what is never cut") {
  DiskOptions options;
  options.live.lies = true;
  options.fails = true;
  OnLonghorn world(options);
  world.runtime.sleep_for(1min);
  CHECK(world.ask().reply.status == 200);
  CHECK(world.count("cut") == 0);
}

TEST_CASE("a cut may never be confirmed by any object") {
  DiskOptions options;
  options.reported = false;
  OnLonghorn world(options);
  world.runtime.sleep_for(1min);
  CHECK(world.count("cut") == 1);
  CHECK(world.ask().reply.status == 200);
  CHECK(world.record()["status"]["creationTime"].is_null());
  CHECK_FALSE(world.content().value("status", Json::object()).contains("creationTime"));
}

TEST_CASE("a snapshot is shown as removed, as the engine's own, or only for a while") {
  DiskOptions options;
  options.cut = Millis(10);
  SECTION("removed") {
    options.live.removed = true;
    OnLonghorn world(options);
    world.runtime.sleep_for(100ms);
    CHECK(world.get()["removed"] == true);
  }
  SECTION("the engine's own") {
    options.live.by_system = true;
    OnLonghorn world(options);
    world.runtime.sleep_for(100ms);
    CHECK(world.get()["usercreated"] == false);
  }
  SECTION("for a while") {
    options.live.vanishes = Millis(500);
    OnLonghorn world(options);
    world.runtime.sleep_for(100ms);
    CHECK(world.ask().reply.status == 200);
    world.runtime.sleep_for(500ms);
    CHECK(world.ask().reply.status == 500);
  }
}

TEST_CASE("a deleted snapshot is gone from the engine, too") {
  OnLonghorn world;
  world.runtime.sleep_for(10s);
  REQUIRE(world.ask().reply.status == 200);
  world.cluster.call("admin", "DELETE", "/apis/snapshot.storage.k8s.io/v1/namespaces/vms/volumesnapshots/s1");
  world.runtime.sleep_for(1s);
  CHECK(world.ask().reply.status == 500);
}

TEST_CASE("the list of a volume has its head and all that it ever had") {
  DiskOptions options;
  options.live.others = 10'000;
  OnLonghorn world(options);
  world.runtime.sleep_for(2s);
  const Json all = world.ask("snapshotList").reply.json()["data"];
  CHECK(all.size() == 10'002);
  CHECK(all.front()["name"] == "volume-head");
  CHECK(all.back()["name"] == world.name());
}

TEST_CASE("what is asked wrongly is refused as Longhorn does") {
  OnLonghorn world;
  const auto status = [&](const HttpRequest& request) { return world.cluster.longhorn().answer(request).reply.status; };
  CHECK(status(asking("snapshotGet", {{"name", ""}}, world.volume)) == 500);
  CHECK(status(asking("snapshotGet", Json::array(), world.volume)) == 500);
  CHECK(status(asking("snapshotGet", {{"name", world.name()}}, "pvc-unknown")) == 500);
  CHECK(status(asking("snapshotDelete", {{"name", world.name()}}, world.volume)) == 404);
  HttpRequest read = asking("snapshotGet", {{"name", world.name()}}, world.volume);
  read.method = "GET";
  CHECK(status(read) == 404);
}

TEST_CASE("Longhorn is out of sorts for as long as it was told, and then answers again") {
  using Pace = BackendReply::Pace;
  OnLonghorn world;
  world.runtime.sleep_for(2s);
  const auto pace = [&](const std::string& mood) {
    world.set_mood(mood, world.runtime.now() + 1s);
    return world.ask().pace;
  };
  CHECK(pace("gone") == Pace::kCloses);
  CHECK(pace("hangs") == Pace::kHangs);
  CHECK(pace("dribbles") == Pace::kDribbles);
  CHECK(pace("cut-short") == Pace::kCutShort);
  world.set_mood("refuses");
  CHECK(world.ask().reply.status == 503);
  world.set_mood("errors");
  CHECK(world.ask().reply.status == 500);
  world.set_mood("huge");
  CHECK(world.ask().reply.body.size() > 8 * 1024 * 1024);
  CHECK(world.get()["name"] == world.name());
  world.set_mood("garbage", world.runtime.now() + 1s);
  for (int i = 0; i < 20; ++i) {
    const Json said = Json::parse(world.ask().reply.body, nullptr, false);
    CHECK_FALSE((said.is_object() && said.value("name", Json()) == world.name()));
  }
  world.runtime.sleep_for(1s);
  CHECK(world.get()["name"] == world.name());
  CHECK_THROWS_AS(backend_mood("moody"), std::invalid_argument);
}

TEST_CASE("how a disk is shown, from JSON, names the field that is wrong") {
  CHECK(disk_options_from_json({{"live", {{"delay", 70}, {"lies", true}}}}).live.delay == 70ms);
  CHECK_THROWS_WITH(disk_options_from_json({{"live", {{"dealy", 70}}}}), Catch::Contains("live.dealy"));
}
