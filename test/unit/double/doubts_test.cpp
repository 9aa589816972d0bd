// What an API server does rarely: kinds that are served in another version, watches that lag or fall silent, a clock
// that is set, an etcd that is restored; and what tenants may not.
#include "test/double/api/metadata.h"
#include "test/support/catch.h"
#include "test/unit/double/test_world.h"

using namespace cluster;
using namespace std::chrono_literals;

namespace {

constexpr const char* kSnapshots = "/apis/snapshot.storage.k8s.io/v1/namespaces/vms/volumesnapshots";

// A watch of VolumeSnapshots by "sweeper-0", with the virtual time of each line.
struct Watching : World {
  struct Line {
    Millis at;
    std::string type, name;
  };
  std::vector<Line> lines;
  Mono start{runtime.now()};

  void watch(const std::string& query = "") {
    runtime.spawn("watch", [this, query] {
      HttpRequest request;
      request.method = "GET";
      request.set_target("/apis/snapshot.storage.k8s.io/v1/volumesnapshots?watch=true" + query);
      request.caller = "sweeper-0";
      const Reply reply = cluster.api().handle(request);
      reply.stream([this](std::string_view bytes) {
        if (bytes.empty()) return true;
        const Json line = Json::parse(bytes);
        lines.push_back({since_start(), line["type"], line["object"]["metadata"].value("name", "")});
        return true;
      });
      lines.push_back({since_start(), "END", ""});
    });
    runtime.sleep_for(1ms);
  }
  Millis since_start() { return std::chrono::duration_cast<Millis>(runtime.now() - start); }
  void snapshot(const std::string& name) { cluster.create_snapshot("tenant", "vms", name, "vm1-disk-0"); }
  void hold_back(std::optional<Millis> late_by, Millis lasts, const std::string& caller = "") {
    const Lock lock = runtime.lock();
    cluster.faults().hold_back(
        {caller, "/snapshot.storage.k8s.io/v1/volumesnapshots", runtime.now(), runtime.now() + lasts, late_by});
  }
  std::optional<Millis> when_added(const std::string& name) {
    for (const Line& line : lines) {
      if (line.type == "ADDED" && line.name == name) return line.at;
    }
    return std::nullopt;
  }
};

}  // namespace

TEST_CASE("a watch that is silent says nothing for a time, and everything afterwards") {
  Watching world;
  world.watch();
  world.hold_back(std::nullopt, Millis(30'000));
  world.snapshot("s1");
  world.runtime.sleep_for(20s);
  CHECK(world.lines.empty());
  world.runtime.sleep_for(20s);
  CHECK(world.when_added("s1").value_or(Millis(0)) == 30'001ms);
}

TEST_CASE("a watch that lags says each thing so much later") {
  Watching world;
  world.watch();
  world.hold_back(Millis(7000), Millis(600'000));
  world.snapshot("s1");
  world.runtime.sleep_for(2500ms);
  world.snapshot("s2");
  world.runtime.sleep_for(20s);
  CHECK(world.when_added("s1").value_or(Millis(0)) == 7001ms);
  CHECK(world.when_added("s2").value_or(Millis(0)) == 9501ms);
}

TEST_CASE("what holds back one kind or one caller's watch concerns no other") {
  Watching world;
  world.watch();
  SECTION("another caller's") {
    world.hold_back(std::nullopt, Millis(60'000), "sweeper-1");
  }
  SECTION("another kind") {
    const Lock lock = world.runtime.lock();
    world.cluster.faults().hold_back({"", "/kubevirt.io/v1/virtualmachines", {}, kNever, std::nullopt});
  }
  world.snapshot("s1");
  world.runtime.sleep_for(1s);
  CHECK(world.when_added("s1").value_or(Millis(0)) == 1ms);
}

TEST_CASE("when only open watches are stuck, one that begins meanwhile is well") {
  Watching world;
  const bool open = GENERATE(true, false);
  if (open) world.watch("&resourceVersion=0");
  {
    const Lock lock = world.runtime.lock();
    cluster::Holdback stuck;
    stuck.from = world.runtime.now();
    stuck.until = stuck.from + 60s;
    stuck.only_open = true;
    world.cluster.faults().hold_back(stuck);
  }
  if (!open) world.watch("&resourceVersion=0");
  world.snapshot("s1");
  world.runtime.sleep_for(1s);
  CHECK(world.when_added("s1").has_value() == !open);
}

TEST_CASE("lists and reads know what a silent watch does not say") {
  Watching world;
  world.hold_back(std::nullopt, Millis(60'000));
  world.snapshot("s1");
  CHECK(world.cluster.call("sweeper-0", "GET", kSnapshots).json()["items"].size() == 1);
}

TEST_CASE("a silent watch sends no bookmarks") {
  Watching world;
  world.cluster.api().set_bookmark_interval(Millis(2000));
  world.watch("&allowWatchBookmarks=true");
  world.hold_back(std::nullopt, Millis(20'000));
  world.runtime.sleep_for(15s);
  CHECK(world.lines.empty());
  world.runtime.sleep_for(15s);
  CHECK_FALSE(world.lines.empty());
}

TEST_CASE("the API server's clock can be set, and no other machine's is") {
  World world;
  const Wall before = world.runtime.wall();
  const auto step = GENERATE(Millis(3'600'000), Millis(-3'600'000));
  world.cluster.locked([&] { world.cluster.store().step_clock(step); });
  const Reply reply = world.cluster.create_snapshot("tenant", "vms", "s1", "vm1-disk-0");
  const std::string expected = reply.headers.at("Date");
  CHECK(world.snapshot("s1")["metadata"]["creationTimestamp"] == rfc3339(before + step));
  CHECK(expected == http_date(before + step));
  world.runtime.sleep_for(5s);
  CHECK(world.snapshot("s1")["status"]["creationTime"] != rfc3339(before + step));
  world.cluster.locked([&] { world.cluster.store().step_clock(-step); });
  CHECK(world.cluster.call("tenant", "GET", kSnapshots).headers.at("Date") == http_date(before + 5s));
}

TEST_CASE("a restored etcd has the objects and the versions of that moment") {
  Watching world;
  world.snapshot("kept");
  world.snapshot("deleted");
  world.runtime.sleep_for(5s);
  const Json kept = world.World::snapshot("kept");
  const auto version = world.cluster.locked([&] { return world.cluster.store().version(); });
  world.watch();
  world.runtime.sleep_for(1s);
  world.snapshot("lost");
  world.cluster.call("tenant", "DELETE", std::string(kSnapshots) + "/deleted");
  world.cluster.call("tenant", "PATCH", std::string(kSnapshots) + "/kept", {{"metadata", {{"labels", {{"a", "b"}}}}}},
                     "application/merge-patch+json");
  world.runtime.sleep_for(500ms);
  world.cluster.restore_etcd(Millis(1000));
  CHECK(world.World::snapshot("kept") == kept);
  CHECK(world.World::snapshot("lost").is_null());
  CHECK(world.World::snapshot("deleted")["metadata"]["name"] == "deleted");
  CHECK(world.cluster.locked([&] { return world.cluster.store().version(); }) == version);
  world.runtime.sleep_for(1s);
  CHECK(world.lines.back().type == "END");
  SECTION("deletions and owners are known again") {
    world.cluster.call("tenant", "DELETE", std::string(kSnapshots) + "/deleted");
    world.runtime.sleep_for(1s);
    CHECK(world.World::snapshot("deleted").is_null());
  }
  SECTION("what KubeVirt knows of the guest is said again") {
    world.freeze("60s");
    world.runtime.sleep_for(6s);
    REQUIRE(world.vmi()["status"]["fsFreezeStatus"] == "frozen");
    world.cluster.restore_etcd(Millis(6500));
    CHECK(world.vmi()["status"]["fsFreezeStatus"] == "frozen");
  }
}

TEST_CASE("an owner that a restored etcd does not know any more has no children") {
  World world;
  world.cluster.start_backup("vms", "b1", "vm1");
  world.runtime.sleep_for(5s);
  REQUIRE_FALSE(world.World::snapshot("b1-volume-vm1-disk-0").is_null());
  world.cluster.call("admin", "DELETE", "/apis/harvesterhci.io/v1beta1/namespaces/vms/virtualmachinebackups/b1");
  world.runtime.sleep_for(1s);
  REQUIRE(world.snapshot("b1-volume-vm1-disk-0").is_null());
  world.cluster.restore_etcd(Millis(2000));
  world.runtime.sleep_for(3s);
  CHECK_FALSE(world.snapshot("b1-volume-vm1-disk-0").is_null());
  world.cluster.call("admin", "DELETE", "/apis/harvesterhci.io/v1beta1/namespaces/vms/virtualmachinebackups/b1");
  world.runtime.sleep_for(1s);
  CHECK(world.snapshot("b1-volume-vm1-disk-0").is_null());
}

TEST_CASE("history that was compacted cannot be restored") {
  World world;
  world.runtime.sleep_for(10s);
  world.cluster.create_snapshot("tenant", "vms", "s1", "vm1-disk-0");
  world.cluster.locked([&] { world.cluster.store().compact(); });
  CHECK_THROWS_AS(world.cluster.restore_etcd(Millis(5000)), std::out_of_range);
}

TEST_CASE("a kind whose version is another is found by discovery, and under that version only") {
  World world;
  const auto status = [&](const std::string& path) { return world.cluster.call("sweeper", "GET", path).status; };
  const std::string group = "/apis/backup.kubevirt.io";
  REQUIRE(status(group + "/v1alpha1/virtualmachinebackups") == 200);
  world.cluster.locked([&] {
    for (const char* resource : {"virtualmachinebackups", "virtualmachinebackuptrackers"}) {
      world.cluster.store().resources().serve_version("backup.kubevirt.io", resource, "v1beta1");
    }
  });
  CHECK(status(group + "/v1alpha1/virtualmachinebackups") == 404);
  CHECK(status(group + "/v1alpha1") == 404);
  CHECK(status(group + "/v1beta1/virtualmachinebackups") == 200);
  const Json found = world.cluster.call("sweeper", "GET", group).json();
  CHECK(found["preferredVersion"]["version"] == "v1beta1");
  CHECK(found["versions"].size() == 1);
  CHECK(world.cluster.call("sweeper", "GET", group + "/v1beta1").json()["resources"][0]["name"] ==
        "virtualmachinebackups");
  world.cluster.locked([&] {
    for (const char* resource : {"virtualmachinebackups", "virtualmachinebackuptrackers"}) {
      world.cluster.store().resources().serve("backup.kubevirt.io", resource, false);
    }
  });
  CHECK(status(group) == 404);
  CHECK(status(group + "/v1beta1") == 404);
}

TEST_CASE("every kind that discovery names is served, in pages too") {
  World world;
  const auto get = [&](const std::string& path) { return world.cluster.call("sweeper", "GET", path); };
  for (const Json& group : get("/apis").json()["groups"]) {
    const std::string name = group["name"];
    const std::string version = group["preferredVersion"]["groupVersion"];
    CHECK(get("/apis/" + name).json()["name"] == name);
    for (const Json& resource : get("/apis/" + version).json()["resources"]) {
      const std::string plural = resource["name"];
      if (plural.find('/') != std::string::npos || resource["verbs"] == Json::array({"create"})) continue;
      CAPTURE(version, plural);
      CHECK(get("/apis/" + version + "/" + plural + "?limit=1").status == 200);
    }
  }
}

TEST_CASE("a list is read page by page, of any kind") {
  World world;
  for (const char* name : {"vm2", "vm3"}) {
    VmOptions vm;
    vm.name = name;
    world.cluster.add_vm(vm);
  }
  const std::string path = GENERATE("/api/v1/namespaces/vms/pods", "/apis/kubevirt.io/v1/virtualmachineinstances",
                                    "/api/v1/persistentvolumes");
  world.runtime.sleep_for(1ms);
  std::set<std::string> names;
  std::string next;
  int pages = 0;
  do {
    const Json page = world.cluster.call("sweeper", "GET", path + "?limit=2&continue=" + next).json();
    for (const Json& item : page["items"]) names.insert(item["metadata"]["name"]);
    next = page["metadata"].value("continue", "");
    ++pages;
  } while (!next.empty());
  CHECK(pages == 2);
  CHECK(names.size() == 3);
}

TEST_CASE("a tenant changes nothing outside of the namespaces of users, one of a namespace nothing outside of that") {
  World world;
  world.cluster.add_namespace("other");
  world.cluster.create_snapshot("admin", "vms", "s1", "vm1-disk-0");
  const auto label = [&](const std::string& user, const std::string& path) {
    return world.cluster
        .call(user, "PATCH", path, {{"metadata", {{"labels", {{"a", "b"}}}}}}, "application/merge-patch+json")
        .status;
  };
  CHECK(label("tenant", std::string(kSnapshots) + "/s1") == 200);
  CHECK(label("tenant-of-other", std::string(kSnapshots) + "/s1") == 403);
  CHECK(label("tenant", "/apis/coordination.k8s.io/v1/namespaces/snapfreeze/leases/x") == 403);
  CHECK(label("tenant", "/apis/snapshot.storage.k8s.io/v1/volumesnapshotcontents/x") == 403);
  CHECK(label("admin", "/apis/snapshot.storage.k8s.io/v1/volumesnapshotcontents/x") == 404);
  CHECK(world.freeze("10s", "tenant-of-other").status == 403);
  CHECK(world.freeze("10s", "tenant").status == 202);
}

TEST_CASE("a caller is stopped after the call that was named, which was carried out") {
  World world;
  std::vector<std::pair<std::string, Millis>> stopped;
  Fault fault;
  fault.kind = FaultKind::kStopAfter;
  fault.caller = "sweeper";
  fault.nth = 2;
  fault.delay = Millis(120'000);
  world.cluster.add_fault(fault);
  world.cluster.locked([&] {
    world.cluster.faults().set_stopper(
        [&](const std::string& caller, Millis lasts) { stopped.emplace_back(caller, lasts); });
  });
  for (int i = 0; i < 3; ++i) CHECK(world.cluster.call("sweeper", "GET", kSnapshots).status == 200);
  CHECK(stopped == std::vector<std::pair<std::string, Millis>>{{"sweeper", Millis(120'000)}});
}
