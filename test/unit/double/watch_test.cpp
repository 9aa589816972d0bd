// Watches, and faults of the API server.
#include "test/double/face/in_process_api.h"
#include "test/support/catch.h"
#include "test/unit/double/test_world.h"

using namespace cluster;
using namespace std::chrono_literals;
namespace kube = snapfreeze::kube;

namespace {

constexpr const char* kSnapshots = "/apis/snapshot.storage.k8s.io/v1/volumesnapshots";

// Follows a watch in a fiber of its own.
struct Watching : World {
  InProcessApi api{cluster, "sweeper"};
  std::vector<Json> events;
  bool ended = false;
  bool ok = false;

  std::string version() { return cluster.call("sweeper", "GET", kSnapshots).json()["metadata"]["resourceVersion"]; }
  void watch(const std::string& query, Millis idle = Millis(600'000)) {
    runtime.spawn("watch", [this, query, idle] {
      const auto end = api.stream({kube::Method::kGet, kSnapshots + ("?watch=true&" + query), "", "", Millis(5000)},
                                  idle, [this](std::string_view line) {
                                    events.push_back(Json::parse(line));
                                    return true;
                                  });
      ok = end.ok();
      ended = true;
    });
    runtime.sleep_for(50ms);
  }
  void snap(const std::string& name, const Json& labels = Json::object()) {
    cluster.create_snapshot("tenant", "vms", name, "vm1-disk-0", labels);
    runtime.sleep_for(10ms);
  }
  void patch(const std::string& name, const Json& patch) {
    cluster.call("tenant", "PATCH", "/apis/snapshot.storage.k8s.io/v1/namespaces/vms/volumesnapshots/" + name, patch,
                 "application/merge-patch+json");
    runtime.sleep_for(10ms);
  }
  std::string types() {
    std::string all;
    for (const Json& event : events) all += event["type"].get<std::string>() + " ";
    return all;
  }
  void fault(FaultKind kind, const std::string& verb, int nth = 1) {
    Fault added;
    added.kind = kind;
    added.verb = verb;
    added.nth = nth;
    added.caller = "sweeper";
    cluster.add_fault(added);
  }
};

DiskOptions never_cut() {
  DiskOptions options;
  options.never = true;
  options.content = Millis(1'000'000);
  return options;
}

struct QuietWatching : Watching {
  QuietWatching() { cluster.storage().set_default(never_cut()); }
};

}  // namespace

TEST_CASE("a watch goes on after the version it is given") {
  QuietWatching world;
  world.snap("before");
  const std::string version = world.version();
  world.snap("between");
  world.watch("resourceVersion=" + version);
  world.snap("after");
  REQUIRE(world.events.size() == 2);
  CHECK(world.events[0]["object"]["metadata"]["name"] == "between");
  CHECK(world.events[1]["object"]["metadata"]["name"] == "after");
}

TEST_CASE("a watch without version begins with what there is") {
  QuietWatching world;
  world.snap("before");
  world.watch("");
  REQUIRE(world.events.size() == 1);
  CHECK(world.events[0]["type"] == "ADDED");
}

TEST_CASE("through a selector, objects are added and deleted as they begin and cease to match") {
  QuietWatching world;
  world.watch("labelSelector=epoch&resourceVersion=" + world.version());
  world.snap("s1");
  world.patch("s1", {{"metadata", {{"labels", {{"epoch", "e"}}}}}});
  world.patch("s1", {{"metadata", {{"annotations", {{"x", "1"}}}}}});
  world.patch("s1", {{"metadata", {{"labels", {{"epoch", nullptr}}}}}});
  CHECK(world.types() == "ADDED MODIFIED DELETED ");
}

TEST_CASE("a deletion carries the version of the deletion") {
  QuietWatching world;
  world.snap("s1");
  const std::string version = world.version();
  world.watch("resourceVersion=" + version);
  world.cluster.call("tenant", "DELETE", "/apis/snapshot.storage.k8s.io/v1/namespaces/vms/volumesnapshots/s1");
  world.runtime.sleep_for(10ms);
  REQUIRE(world.types() == "DELETED ");
  CHECK(std::stoi(world.events[0]["object"]["metadata"]["resourceVersion"].get<std::string>()) > std::stoi(version));
}

TEST_CASE("from before the compaction a watch gets the error event 410") {
  QuietWatching world;
  const std::string version = world.version();
  world.snap("s1");
  world.cluster.locked([&] { world.cluster.store().compact(); });
  world.watch("resourceVersion=" + version);
  REQUIRE(world.types() == "ERROR ");
  CHECK(world.events[0]["object"]["code"] == 410);
  CHECK(world.ended);
  CHECK(world.ok);
}

TEST_CASE("an open watch can be expired too") {
  QuietWatching world;
  world.watch("resourceVersion=" + world.version());
  world.cluster.locked([&] { world.cluster.store().expire_watches(); });
  world.runtime.sleep_for(10ms);
  CHECK(world.types() == "ERROR ");
  CHECK(world.ended);
}

TEST_CASE("bookmarks come when asked for, and carry the version of other kinds' changes") {
  QuietWatching world;
  world.cluster.api().set_bookmark_interval(Millis(10'000));
  world.watch("allowWatchBookmarks=true&resourceVersion=" + world.version());
  world.cluster.add_namespace("another");
  const std::string version = world.version();
  world.runtime.sleep_for(11s);
  REQUIRE(world.types() == "BOOKMARK ");
  CHECK(world.events[0]["object"]["kind"] == "VolumeSnapshot");
  CHECK(world.events[0]["object"]["metadata"]["resourceVersion"] == version);
}

TEST_CASE("a watch ends at timeoutSeconds") {
  QuietWatching world;
  world.watch("timeoutSeconds=30&resourceVersion=" + world.version());
  world.runtime.sleep_for(29s);
  CHECK_FALSE(world.ended);
  world.runtime.sleep_for(2s);
  CHECK(world.ended);
  CHECK(world.ok);
}

TEST_CASE("a version from the future is refused") {
  QuietWatching world;
  world.watch("resourceVersion=999999");
  CHECK(world.ended);
  CHECK_FALSE(world.ok);
}

TEST_CASE("a fault cuts an open watch in the middle of a line") {
  QuietWatching world;
  world.watch("resourceVersion=" + world.version());
  world.fault(FaultKind::kCutWatch, "watch", 2);
  world.snap("s1");
  world.snap("s2");
  CHECK(world.events.size() == 1);
  CHECK(world.ended);
  CHECK_FALSE(world.ok);
}

TEST_CASE("a fault makes a watch silent for good") {
  QuietWatching world;
  world.watch("resourceVersion=" + world.version(), Millis(60'000));
  world.fault(FaultKind::kSilentWatch, "watch");
  world.snap("s1");
  world.runtime.sleep_for(30s);
  CHECK(world.events.empty());
  CHECK_FALSE(world.ended);
  world.runtime.sleep_for(60s);
  CHECK(world.ended);
}

TEST_CASE("while the API server is away connections are refused and watches cut") {
  QuietWatching world;
  world.watch("resourceVersion=" + world.version());
  world.cluster.api_down_for(Millis(5000));
  world.runtime.sleep_for(10ms);
  CHECK(world.ended);
  const kube::Request list{kube::Method::kGet, kSnapshots, "", "", Millis(5000)};
  CHECK_FALSE(world.api.call(list).ok());
  world.runtime.sleep_for(5s);
  CHECK(world.api.call(list).ok());
}

TEST_CASE("faults hit the nth matching call of that caller, so often") {
  QuietWatching world;
  Fault fault;
  fault.kind = FaultKind::kStatus;
  fault.status = 429;
  fault.retry_after = 1;
  fault.caller = "sweeper";
  fault.verb = "list";
  fault.path = "volumesnapshots";
  fault.nth = 2;
  fault.count = 2;
  world.cluster.add_fault(fault);
  const auto status = [&](const std::string& caller) { return world.cluster.call(caller, "GET", kSnapshots).status; };
  CHECK(status("sweeper") == 200);
  CHECK(status("webhook") == 200);
  CHECK(status("sweeper") == 429);
  CHECK(world.cluster.call("sweeper", "GET", kSnapshots).headers.at("Retry-After") == "1");
  CHECK(status("sweeper") == 200);
}

TEST_CASE("a drop before carries nothing out, a drop after does") {
  QuietWatching world;
  Fault fault;
  fault.kind = FaultKind::kDropBefore;
  fault.verb = "freeze";
  world.cluster.add_fault(fault);
  CHECK(world.freeze("30s").dropped);
  CHECK_FALSE(world.frozen());
  world.cluster.locked([&] { world.cluster.faults().clear(); });
  fault.kind = FaultKind::kDropAfter;
  world.cluster.add_fault(fault);
  CHECK(world.freeze("30s").dropped);
  CHECK(world.frozen());
}

TEST_CASE("a caller is killed before or after its call") {
  QuietWatching world;
  std::vector<std::string> killed;
  world.cluster.locked(
      [&] { world.cluster.faults().set_killer([&](const std::string& caller) { killed.push_back(caller); }); });
  Fault fault;
  fault.kind = FaultKind::kKillBefore;
  fault.verb = "freeze";
  world.cluster.add_fault(fault);
  CHECK(world.freeze("30s").dropped);
  CHECK_FALSE(world.frozen());
  fault.kind = FaultKind::kKillAfter;
  world.cluster.add_fault(fault);
  CHECK(world.freeze("30s").dropped);
  CHECK(world.frozen());
  CHECK(killed == std::vector<std::string>{"webhook", "webhook"});
}

TEST_CASE("the ledger counts calls by caller and verb") {
  QuietWatching world;
  world.freeze("5s");
  world.thaw();
  world.thaw();
  world.watch("resourceVersion=" + world.version());
  const auto ledger = world.cluster.locked([&] { return world.cluster.faults().ledger(); });
  CHECK(ledger.at("webhook") == std::map<std::string, int>{{"freeze", 1}, {"unfreeze", 2}});
  CHECK(ledger.at("sweeper") == std::map<std::string, int>{{"list", 1}, {"watch", 1}});
  world.cluster.locked([&] { CHECK(world.cluster.faults().calls("sweeper") == 1); });
}

TEST_CASE("faults from JSON name the field that is wrong") {
  const auto complaint = [](const Json& json) -> std::string {
    try {
      (void)fault_from_json(json);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "";
  };
  CHECK(fault_from_json({{"kind", "kill-after"}, {"nth", 3}}).kind == FaultKind::kKillAfter);
  CHECK(complaint({{"kind", "explode"}}).find("fault.kind") == 0);
  CHECK(complaint({{"nht", 1}}).find("fault.nht") == 0);
}
