// A process that is stopped for minutes between two instructions acts on nothing that held before.
#include "freeze/names.h"
#include "kube/paths.h"
#include "test/support/catch.h"
#include "test/unit/webhook/world.h"

namespace snapfreeze::webhook {
namespace {

using freeze::Intent;
using freeze::Phase;
using freeze::Session;
using test::harvester_review;
using test::label_review;
using test::World;
namespace reason = freeze::reason;

constexpr char kLease[] = "/apis/coordination.k8s.io/v1/namespaces/snapfreeze/leases/vms.vm1";
constexpr Millis kMinutes{180'000};

TEST_CASE("a call to the guest that was meant minutes ago is not sent") {
  const auto which = GENERATE(as<std::string>{}, "/unfreeze", "/freeze");
  World world;
  world.api.stopped_before[which] = kMinutes;
  const Outcome outcome = world.admit(harvester_review("disk-0"));
  CHECK(freeze::is_crash(outcome.marks->verdict));
  CHECK(world.api.count("vm1" + which) == 0);
  REQUIRE(world.session());
  CHECK(world.session()->phase == Phase::kThawing);
}

TEST_CASE("a call to the guest that was answered minutes ago ends the session") {
  const auto which = GENERATE(as<std::string>{}, "/unfreeze", "/freeze");
  World world;
  world.api.stopped_after[which] = kMinutes;
  CHECK(world.admit(harvester_review("disk-0")).decision == reason::kAbandoned);
  CHECK(world.session()->phase == Phase::kThawing);
  CHECK(world.session()->unsettled);
  CHECK(world.session()->doubts == std::vector<freeze::Reason>{reason::kAbandoned});
  if (which == "/unfreeze") CHECK(world.api.count("vm1/freeze") == 0);
}

TEST_CASE("a call that was answered minutes ago is a doubt on whatever session of the guest is there then") {
  const auto which = GENERATE(as<std::string>{}, "/unfreeze", "/freeze");
  World world;
  world.api.stopped_after[which] = kMinutes;
  world.api.on_call = [&](const kube::Request& request) {
    if (!request.target.ends_with(which)) return;
    world.clock.after(kMinutes / 2, [&] {
      world.api.objects.erase(kLease);
      world.put_session([](Session&) {});
    });
  };
  CHECK(world.admit(harvester_review("disk-0")).decision == reason::kAbandoned);
  CHECK(world.session()->uid == "epoch-2");
  CHECK(world.session()->phase == Phase::kThawing);
  CHECK(world.session()->intent.call == Intent::Call::kFreeze);
  CHECK(world.session()->doubts == std::vector<freeze::Reason>{reason::kAbandoned});
}

TEST_CASE("a call that was answered minutes ago, when no session is left, is undone") {
  const auto which = GENERATE(as<std::string>{}, "/unfreeze", "/freeze");
  World world;
  world.api.stopped_after[which] = kMinutes;
  world.api.on_call = [&](const kube::Request& request) {
    if (request.target.ends_with(which)) world.clock.after(kMinutes / 2, [&] { world.api.objects.erase(kLease); });
  };
  CHECK(world.admit(harvester_review("disk-0")).decision == reason::kAbandoned);
  CHECK(world.session()->uid == "epoch-2");
  CHECK(world.session()->phase == Phase::kThawing);
}

TEST_CASE("a process that is stopped anywhere else freezes nothing afterwards") {
  const auto where = GENERATE(as<std::string>{}, "/b1", "/vm1", "/disk-0", "/leases", "/vms.vm1");
  const bool before = GENERATE(true, false);
  CAPTURE(where, before);
  World world;
  (before ? world.api.stopped_before : world.api.stopped_after)[where] = kMinutes;
  const Outcome outcome = world.admit(harvester_review("disk-0"));
  if (outcome.decision == kFroze) {
    // Stopped at the very last write: the guest was frozen in time, and the sweeper judges by the API server's clock.
    CHECK(where == "/vms.vm1");
    return;
  }
  CHECK(world.api.count("vm1/freeze") == 0);
  if (world.session()) CHECK(world.session()->phase == Phase::kThawing);
}

TEST_CASE("by when the guest was frozen is known when the freeze is answered, however long it took") {
  World world;
  world.api.latency["freeze"] = Millis(6000);
  CHECK(world.admit(label_review("s0", "nightly", R"({"snapfreeze.harvesterhci.io/vm": "vm1"})")).decision == kFroze);
  REQUIRE(world.session()->frozen_by);
  CHECK(*world.session()->frozen_by >= world.clock.wall() - Millis(100));
}

TEST_CASE("a guest that takes nine seconds to freeze is held, in the time that the chart allows") {
  World world;
  world.set_deadline("10s");
  world.api.latency["freeze"] = Millis(9000);
  CHECK(world.admit(harvester_review("disk-0"), time_allowed("timeout=15s")).decision == kFroze);
  CHECK(world.session()->phase == Phase::kFrozen);
  CHECK(world.session()->timer == std::chrono::seconds(10));
}

}  // namespace
}  // namespace snapfreeze::webhook
