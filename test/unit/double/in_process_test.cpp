#include "test/double/face/in_process_api.h"
#include "test/double/runtime/runtime_sim.h"
#include "test/support/catch.h"

namespace in_process_test {

using namespace cluster;
using namespace std::chrono_literals;
namespace kube = snapfreeze::kube;

namespace {

struct World {
  SimRuntime runtime;
  Cluster cluster{runtime};
  InProcessApi api{cluster, "sweeper"};

  World() { cluster.add_vm(); }

  kube::Request get(const std::string& target) { return {kube::Method::kGet, target, "", "", Millis(5000)}; }
};

constexpr const char* kVmi = "/apis/kubevirt.io/v1/namespaces/vms/virtualmachineinstances/vm1";

}  // namespace

TEST_CASE("a call through the seam brings status, body and the server's date in whole seconds") {
  World world;
  const auto reply = world.api.call(world.get(kVmi));
  REQUIRE(reply.ok());
  CHECK(reply->status == 200);
  CHECK(Json::parse(reply->body)["status"]["phase"] == "Running");
  CHECK(reply->date == std::chrono::floor<std::chrono::seconds>(world.runtime.wall()));
}

TEST_CASE("a call that hangs is transient at its time-out, without a status") {
  World world;
  Fault hang;
  hang.kind = FaultKind::kHang;
  world.cluster.add_fault(hang);
  const Mono start = world.runtime.now();
  const auto reply = world.api.call(world.get(kVmi));
  REQUIRE_FALSE(reply.ok());
  CHECK(reply.error().code == snapfreeze::Code::kTransient);
  CHECK(reply.error().http_status == 0);
  CHECK(world.runtime.now() - start == 5s);
}

TEST_CASE("what was asked for is carried out after the caller gave up") {
  World world;
  Fault late;
  late.kind = FaultKind::kDelayBefore;
  late.delay = Millis(7000);
  world.cluster.add_fault(late);
  const std::string freeze = "/apis/subresources.kubevirt.io/v1/namespaces/vms/virtualmachineinstances/vm1/freeze";
  const auto reply = world.api.call({kube::Method::kPut, freeze, R"({"unfreezeTimeout":"30s"})", "application/json"});
  CHECK_FALSE(reply.ok());
  const auto frozen = [&] { return world.cluster.locked([&] { return world.cluster.truth().frozen_now("vms/vm1"); }); };
  CHECK_FALSE(frozen());
  world.runtime.sleep_for(3s);
  CHECK(frozen());
}

TEST_CASE("calls made together take the time of one") {
  World world;
  const std::vector<kube::Request> requests(20, world.get(kVmi));
  const Mono start = world.runtime.now();
  const auto replies = world.api.call_all(requests);
  CHECK(replies.size() == 20);
  CHECK(world.runtime.now() - start <= 4ms);
}

TEST_CASE("a watch hands over lines as things change, and ends when the reader has had enough") {
  World world;
  const auto list = world.api.call(world.get("/apis/kubevirt.io/v1/virtualmachineinstances"));
  const std::string version = Json::parse(list->body)["metadata"]["resourceVersion"];
  world.runtime.spawn("later", [&] {
    world.runtime.sleep_for(2s);
    world.cluster.guests().pause("vms", "vm1");
  });
  std::vector<Json> events;
  const auto ended =
      world.api.stream(world.get("/apis/kubevirt.io/v1/virtualmachineinstances?watch=true&resourceVersion=" + version),
                       Millis(30'000), [&](std::string_view line) {
                         events.push_back(Json::parse(line));
                         return false;
                       });
  CHECK(ended.ok());
  REQUIRE(events.size() == 1);
  CHECK(events[0]["type"] == "MODIFIED");
  CHECK(events[0]["object"]["status"]["conditions"].back()["type"] == "Paused");
}

TEST_CASE("a silent watch ends when no byte has come for so long") {
  World world;
  const Mono start = world.runtime.now();
  const auto ended = world.api.stream(world.get("/apis/coordination.k8s.io/v1/leases?watch=true&resourceVersion=0"),
                                      Millis(30'000), [](std::string_view) { return true; });
  CHECK(ended.ok());
  CHECK(world.runtime.now() - start >= 30s);
  CHECK(world.runtime.now() - start < 31s);
}

TEST_CASE("a watch of what is not served is an error with that status") {
  World world;
  world.cluster.locked([&] { world.cluster.store().resources().serve("longhorn.io", "snapshots", false); });
  const auto ended = world.api.stream(world.get("/apis/longhorn.io/v1beta2/snapshots?watch=true"), Millis(1000),
                                      [](std::string_view) { return true; });
  REQUIRE_FALSE(ended.ok());
  CHECK(ended.error().http_status == 404);
}

TEST_CASE("a process killed in a call never sees its end, yet the call is carried out") {
  World world;
  bool returned = false;
  Process process(world.runtime, "webhook");
  process.spawn("freezer", [&] {
    (void)world.api.call({kube::Method::kPut,
                          "/apis/subresources.kubevirt.io/v1/namespaces/vms/virtualmachineinstances/vm1/freeze",
                          R"({"unfreezeTimeout":"30s"})", "application/json"});
    returned = true;
  });
  world.runtime.sleep_for(20ms);
  process.kill();
  world.runtime.sleep_for(1s);
  CHECK_FALSE(returned);
  CHECK(world.cluster.locked([&] { return world.cluster.truth().frozen_now("vms/vm1"); }));
}

}  // namespace in_process_test
