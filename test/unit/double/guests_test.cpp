// KubeVirt's freeze rules, one fact a test.
#include "test/support/catch.h"
#include "test/unit/double/test_world.h"

using namespace cluster;
using namespace std::chrono_literals;

TEST_CASE("a freeze holds until its timer, which starts once the guest is frozen") {
  World world;
  CHECK(world.freeze("30s").status == 202);
  CHECK(world.frozen());
  world.runtime.sleep_for(29s);
  CHECK(world.frozen());
  world.runtime.sleep_for(2s);
  CHECK_FALSE(world.frozen());
  CHECK(world.longest_frozen() == 30015ms);
}

TEST_CASE("freezing a frozen guest answers success and does not re-arm its timer") {
  World world;
  world.freeze("1s");
  world.runtime.sleep_for(500ms);
  CHECK(world.freeze("30s").status == 202);
  world.runtime.sleep_for(1s);
  CHECK_FALSE(world.frozen());
  CHECK(world.freezes() == 1);
}

TEST_CASE("a timeout of 0 sets no timer") {
  World world;
  CHECK(world.freeze("0s").status == 202);
  world.runtime.sleep_for(24h);
  CHECK(world.frozen());
}

TEST_CASE("a fraction of a second is cut off") {
  World world;
  world.freeze("1.9s");
  world.runtime.sleep_for(5s);
  CHECK(world.longest_frozen() == 1015ms);
  world.freeze("900ms");
  world.runtime.sleep_for(1h);
  CHECK(world.frozen());
}

TEST_CASE("a freeze without unfreezeTimeout is a 400") {
  World world;
  CHECK(world.operate("freeze", Json::object()).status == 400);
  CHECK(world.operate("freeze").status == 400);
  CHECK(world.freeze("soon").status == 400);
  CHECK(world.freezes() == 0);
}

TEST_CASE("unfreeze thaws, and cancels the timer of a later freeze's sake") {
  World world;
  world.freeze("5s");
  CHECK(world.thaw().status == 202);
  CHECK_FALSE(world.frozen());
  world.freeze("30s");
  world.runtime.sleep_for(10s);
  CHECK(world.frozen());
}

TEST_CASE("unfreeze of a thawed guest answers success") {
  World world;
  CHECK(world.thaw().status == 202);
}

TEST_CASE("dry-run is not honoured by freeze") {
  World world;
  world.cluster.call("webhook", "PUT",
                     "/apis/subresources.kubevirt.io/v1/namespaces/vms/virtualmachineinstances/vm1/freeze?dryRun=All",
                     {{"unfreezeTimeout", "5s"}});
  CHECK(world.frozen());
}

TEST_CASE("a freeze of a VMI that is not running is refused") {
  World world;
  world.cluster.guests().stop("vms", "vm1");
  world.runtime.sleep_for(2s);
  CHECK(world.freeze("5s").status == 404);
  const Reply other = world.cluster.call(
      "webhook", "PUT", "/apis/subresources.kubevirt.io/v1/namespaces/vms/virtualmachineinstances/none/freeze",
      {{"unfreezeTimeout", "5s"}});
  CHECK(other.status == 404);
  CHECK(other.json()["reason"] == "NotFound");
}

TEST_CASE("a VMI whose phase is not Running answers 409") {
  World world;
  world.cluster.call("admin", "PATCH", "/apis/kubevirt.io/v1/namespaces/vms/virtualmachineinstances/vm1",
                     {{"status", {{"phase", "Scheduling"}}}}, "application/merge-patch+json");
  CHECK(world.freeze("5s").status == 409);
  CHECK(world.thaw().status == 409);
}

TEST_CASE("a freeze that fails does nothing") {
  World world;
  world.cluster.guests().add_fault("vms", "vm1", {});
  CHECK(world.freeze("5s").status == 500);
  CHECK_FALSE(world.frozen());
  CHECK(world.freeze("5s").status == 202);
}

TEST_CASE("a freeze that fails half-way leaves the guest frozen without timer, and not whole") {
  World world;
  GuestFault halfway;
  halfway.kind = GuestFaultKind::kHalfway;
  world.cluster.guests().add_fault("vms", "vm1", halfway);
  CHECK(world.freeze("5s").status == 500);
  world.runtime.sleep_for(1h);
  CHECK(world.frozen());
  world.cluster.locked([&] { CHECK_FALSE(world.cluster.truth().intervals("vms/vm1").back().whole); });
}

TEST_CASE("virt-api gives up at 10 s, and the launcher freezes later all the same") {
  World world;
  GuestFault late;
  late.kind = GuestFaultKind::kLate;
  late.delay = Millis(40'000);
  world.cluster.guests().add_fault("vms", "vm1", late);
  const Mono start = world.runtime.now();
  CHECK(world.freeze("5s").status == 500);
  CHECK(world.runtime.now() - start == 10s);
  CHECK_FALSE(world.frozen());
  world.runtime.sleep_for(31s);
  CHECK(world.frozen());
  world.runtime.sleep_for(6s);
  CHECK_FALSE(world.frozen());
}

TEST_CASE("a freeze that is late may fail half-way, when nobody listens any more") {
  World world;
  GuestFault halfway;
  halfway.kind = GuestFaultKind::kHalfway;
  halfway.delay = Millis(40'000);
  world.cluster.guests().add_fault("vms", "vm1", halfway);
  CHECK(world.freeze("5s").status == 500);
  CHECK_FALSE(world.frozen());
  world.runtime.sleep_for(1h);
  CHECK(world.frozen());
}

TEST_CASE("a guest that is reset from inside is thawed, and its agent away for a while; its VMI stays") {
  World world;
  CHECK(world.freeze("30s").status == 202);
  world.cluster.guests().reset("vms", "vm1");
  CHECK_FALSE(world.frozen());
  CHECK_FALSE(world.cluster.locked([&] { return world.cluster.guests().agent_connected("vms", "vm1"); }));
  world.runtime.sleep_for(3s);
  CHECK(world.freeze("5s").status == 202);
  CHECK(world.frozen());
}

TEST_CASE("a reset while the agent freezes leaves nothing frozen") {
  VmOptions slow;
  slow.freeze_latency = 5s;
  World world(slow);
  world.runtime.spawn("reset", [&] {
    world.runtime.sleep_for(1s);
    world.cluster.guests().reset("vms", "vm1");
  });
  CHECK(world.freeze("30s").status == 500);
  CHECK_FALSE(world.frozen());
}

TEST_CASE("what the launcher did not take within 60 s never happens") {
  World world;
  GuestFault lost;
  lost.kind = GuestFaultKind::kLate;
  lost.delay = Millis(61'000);
  world.cluster.guests().add_fault("vms", "vm1", lost);
  world.freeze("5s");
  world.runtime.sleep_for(10min);
  CHECK(world.freezes() == 0);
}

TEST_CASE("a late thaw thaws the next freeze unseen") {
  World world;
  world.freeze("30s");
  GuestFault late;
  late.operation = "unfreeze";
  late.kind = GuestFaultKind::kLate;
  late.delay = Millis(15'000);
  world.cluster.guests().add_fault("vms", "vm1", late);
  CHECK(world.thaw().status == 500);
  CHECK(world.thaw().status == 202);
  world.freeze("30s");
  world.runtime.sleep_for(10s);
  CHECK_FALSE(world.frozen());
}

TEST_CASE("a thaw that fails has cancelled the timer first") {
  World world;
  world.freeze("2s");
  GuestFault fails;
  fails.operation = "unfreeze";
  world.cluster.guests().add_fault("vms", "vm1", fails);
  CHECK(world.thaw().status == 500);
  world.runtime.sleep_for(1h);
  CHECK(world.frozen());
}

TEST_CASE("Windows gives up after 10 s and says so at the thaw, once") {
  VmOptions windows;
  windows.windows = true;
  World world(windows);
  CHECK(world.vmi()["status"]["guestOSInfo"]["id"] == "mswindows");
  world.freeze("30s");
  world.runtime.sleep_for(12s);
  CHECK_FALSE(world.frozen());
  CHECK(world.longest_frozen() == 10s);
  const Reply reply = world.thaw();
  CHECK(reply.status == 500);
  CHECK(reply.body.find("fsfreeze is limited up to 10 seconds") != std::string::npos);
  CHECK(world.thaw().status == 202);
}

TEST_CASE("Windows thawed within 10 s says nothing") {
  VmOptions windows;
  windows.windows = true;
  World world(windows);
  world.freeze("30s");
  world.runtime.sleep_for(8s);
  CHECK(world.thaw().status == 202);
  world.freeze("30s");
  world.runtime.sleep_for(5s);
  CHECK(world.frozen());
}

TEST_CASE("a freeze is refused during a migration") {
  World world;
  world.cluster.guests().migrate("vms", "vm1", Millis(5000));
  CHECK(world.freeze("5s").status == 409);
  CHECK(world.vmi()["status"]["migrationState"].contains("completed") == false);
  world.runtime.sleep_for(6s);
  CHECK(world.vmi()["status"]["migrationState"]["completed"] == true);
  CHECK(world.freeze("5s").status == 202);
}

TEST_CASE("a migration carries a frozen guest away from its timer") {
  World world;
  world.freeze("10s");
  world.cluster.guests().migrate("vms", "vm1", Millis(5000));
  world.runtime.sleep_for(1h);
  CHECK(world.frozen());
  CHECK(world.thaw().status == 202);
  CHECK_FALSE(world.frozen());
}

TEST_CASE("the timer of a migrating guest still fires before it has moved") {
  World world;
  world.freeze("2s");
  world.cluster.guests().migrate("vms", "vm1", Millis(60'000));
  world.runtime.sleep_for(3s);
  CHECK_FALSE(world.frozen());
}

TEST_CASE("fsFreezeStatus is polled every 5 s and stale both ways") {
  World world;
  const auto reported = [&] { return world.vmi()["status"].value("fsFreezeStatus", ""); };
  world.freeze("0s");
  CHECK(reported().empty());
  world.runtime.sleep_for(5s);
  CHECK(reported() == "frozen");
  world.thaw();
  CHECK(reported() == "frozen");
  world.runtime.sleep_for(5s);
  CHECK(reported().empty());
}

TEST_CASE("without agent a freeze fails, and AgentConnected is not there") {
  VmOptions silent;
  silent.agent = false;
  World world(silent);
  CHECK(world.freeze("5s").status == 500);
  CHECK(world.vmi()["status"]["conditions"].dump().find("AgentConnected") == std::string::npos);
}

TEST_CASE("an agent that dies leaves the guest frozen, the timer in vain") {
  World world;
  world.freeze("5s");
  world.cluster.guests().set_agent("vms", "vm1", false);
  CHECK(world.thaw().status == 500);
  world.runtime.sleep_for(1h);
  CHECK(world.frozen());
}

TEST_CASE("a paused guest answers no agent command until it goes on") {
  World world;
  world.cluster.guests().pause("vms", "vm1");
  CHECK(world.freeze("5s").status == 500);
  CHECK_FALSE(world.frozen());
  world.cluster.guests().resume("vms", "vm1");
  world.runtime.sleep_for(2s);
  CHECK(world.frozen());
}

TEST_CASE("a restart thaws, and brings another VMI uid") {
  World world;
  const Json before = world.vmi()["metadata"]["uid"];
  world.freeze("0s");
  world.cluster.guests().restart("vms", "vm1");
  world.runtime.sleep_for(200ms);
  CHECK(world.vmi()["metadata"].contains("deletionTimestamp"));
  CHECK(world.frozen());
  world.runtime.sleep_for(10s);
  CHECK_FALSE(world.frozen());
  CHECK(world.vmi()["metadata"]["uid"] != before);
  CHECK(world.freeze("5s").status == 202);
}

TEST_CASE("a stopped VM has no VMI any more") {
  World world;
  world.cluster.guests().stop("vms", "vm1");
  world.runtime.sleep_for(1s);
  CHECK(world.vmi().is_null());
  world.cluster.guests().start("vms", "vm1");
  CHECK(world.vmi()["status"]["phase"] == "Running");
}

TEST_CASE("latencies of freeze and thaw are those that were set") {
  World world;
  world.cluster.guests().set_latency("vms", "vm1", Millis(3000), Millis(200));
  const Mono start = world.runtime.now();
  world.freeze("30s");
  CHECK(world.runtime.now() - start == 3s);
  world.thaw();
  CHECK(world.runtime.now() - start == 3200ms);
  CHECK(world.longest_frozen() == 200ms);
}
