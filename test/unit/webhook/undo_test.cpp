// A freeze of Harvester's that has no timer, for a snapshot that is refused: somebody must thaw the guest.
#include "webhook/undo.h"

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
using test::json;
using test::path_of;
using test::World;
namespace reason = freeze::reason;

constexpr char kLease[] = "/apis/coordination.k8s.io/v1/namespaces/snapfreeze/leases/vms.vm1";

// Harvester's freeze is to be thawed by the sweeper, at once, and nothing is said about a backup.
void check_undone(const World& world) {
  const auto session = world.session();
  REQUIRE(session);
  CHECK(session->phase == Phase::kThawing);
  CHECK(session->intent.call == Intent::Call::kFreeze);
  CHECK(session->only_undoes());
  CHECK(session->vmi_uid == "vm1-vmi-uid");
}

std::string refusal(World& world, Millis budget = Millis(9000)) {
  const Mono start = world.clock.monotonic();
  const Outcome outcome = world.admit(harvester_review("disk-0"), budget);
  CHECK(world.clock.monotonic() - start <= budget + kReserve);
  REQUIRE(outcome.marks);
  CHECK(freeze::is_crash(outcome.marks->verdict));
  return std::string(outcome.decision);
}

TEST_CASE("an infinite freeze for what is refused is undone: late") {
  World world;
  world.set_deadline("0s");
  world.store("disk-2", {});
  CHECK(refusal(world) == reason::kLate);
  check_undone(world);
  // Nothing of Harvester's can still come: the next disk need not find a guest that rests.
  CHECK_FALSE(world.session()->unsettled);
}

TEST_CASE("KubeVirt cuts fractions off: what is below a second has no timer") {
  const auto deadline = GENERATE(as<std::string>{}, "0s", "999ms", "-5s");
  World world;
  world.set_deadline(deadline);
  world.store("disk-2", {});
  CHECK(refusal(world) == reason::kLate);
  check_undone(world);
}

TEST_CASE("a freeze of Harvester's that has a timer is left to it") {
  const auto deadline = GENERATE(as<std::string>{}, "", "1s", "10s");
  World world;
  world.set_deadline(deadline);
  world.store("disk-2", {});
  CHECK(refusal(world) == reason::kLate);
  CHECK_FALSE(world.session());
}

TEST_CASE("an infinite freeze for what is refused is undone: no sweeper, busy, not its disk, no time, no agent") {
  Settings settings;
  freeze::Reason why;
  SECTION("busy") {
    settings.max_freezes = 0;
    why = reason::kBusy;
  }
  SECTION("others") {
    why = GENERATE(as<freeze::Reason>{}, reason::kNoSweeper, reason::kNotItsDisk, reason::kNoTime, reason::kNoAgent,
                   reason::kPaused, reason::kMigrating, reason::kBeingDeleted);
  }
  CAPTURE(why);
  World world(settings);
  world.set_deadline("0s");
  Json& vmi = world.api.objects[path_of(kube::kVirtualMachineInstances, "vm1")];
  Json status = vmi["status"];
  Millis budget{9000};
  if (why == reason::kNoSweeper) world.sweeper.observe(Error{Code::kNotFound, "", 404}, world.clock.monotonic());
  if (why == reason::kNotItsDisk) vmi.set("spec", json("{}"));
  if (why == reason::kNoTime) budget = Millis(1005);
  if (why == reason::kNoAgent) vmi.set("status", json(R"({"phase": "Running"})"));
  if (why == reason::kMigrating) vmi.set("status", status.set("migrationState", json(R"({"migrationUid": "m"})")));
  if (why == reason::kPaused) {
    vmi.set("status", status.set("conditions", json(R"([{"type": "Paused", "status": "True"}])")));
  }
  if (why == reason::kBeingDeleted) {
    vmi.set("metadata", json(R"({"name": "vm1", "uid": "vm1-vmi-uid", "deletionTimestamp": "2026-01-01T00:00:00Z"})"));
  }
  CHECK(refusal(world, budget) == why);
  check_undone(world);
  CHECK(world.api.count("PUT") == 0);
}

TEST_CASE("an infinite freeze for what is refused is undone: what could not be read, once it can") {
  World world;
  world.set_deadline("0s");
  const int call = GENERATE(range(2, 10));
  CAPTURE(call);
  world.api.faults[call] = {test::FakeFault::Kind::kStatus, 500};
  CHECK(refusal(world) == reason::kApiError);
  check_undone(world);
}

TEST_CASE("an infinite freeze for what is refused is undone: also if the backup can be read at a later try only") {
  World world;
  world.set_deadline("0s");
  world.store("disk-2", {});
  const int tries = GENERATE(1, 2, 10);
  for (int call = 1; call <= tries; ++call) world.api.faults[call] = {test::FakeFault::Kind::kStatus, 503};
  CHECK(refusal(world) == reason::kLate);
  check_undone(world);
}

TEST_CASE("an infinite freeze while the guest rests is undone, and the guest rests again from then on") {
  World world;
  world.set_deadline("0s");
  world.put_session([](Session& session) {
    session.phase = Phase::kResting;
    session.doubts = {reason::kLapsed};
    session.captured["s-uid"] = Millis(700);
  });
  CHECK(refusal(world) == reason::kCoolDown);
  check_undone(world);
  const auto session = world.session();
  CHECK(session->uid == "epoch-1");
  CHECK(session->unsettled);
  CHECK(session->doubts == std::vector<freeze::Reason>{reason::kUndone, reason::kLapsed});
  CHECK(session->captured.size() == 1);
}

TEST_CASE("an infinite freeze of a guest that was restarted since its session began is undone, too") {
  World world;
  world.set_deadline("0s");
  const auto phase = GENERATE(Phase::kFrozen, Phase::kThawing, Phase::kResting);
  world.put_session([&](Session& session) {
    session.phase = phase;
    session.vmi_uid = "of-before";
    session.holds[0].uid = "another";
  });
  refusal(world);
  const auto session = world.session();
  CHECK(session->phase == Phase::kThawing);
  CHECK(session->intent.call == Intent::Call::kFreeze);
  CHECK(session->vmi_uid == "vm1-vmi-uid");
  CHECK(session->doubts.back() == reason::kRestarted);
}

TEST_CASE("each infinite freeze in a burst is noted anew, but not twice") {
  World world;
  world.set_deadline("0s");
  world.store("disk-2", {});
  refusal(world);
  const std::string before = world.session()->resource_version;
  refusal(world);
  CHECK(world.session()->resource_version == before);
  // The sweeper's own intent to thaw has come in between: it may have thawed before this freeze.
  world.api.change_lease("snapfreeze.harvesterhci.io/intent", R"({"call":"unfreeze","by":"sweeper"})");
  CHECK(refusal(world) == reason::kLate);
  check_undone(world);
}

TEST_CASE("an infinite freeze while another session thaws is undone by that one, which keeps its verdicts") {
  World world;
  world.set_deadline("0s");
  world.put_session([](Session& session) {
    session.phase = Phase::kThawing;
    session.holds[0].uid = "another";
    session.intent = {Intent::Call::kUnfreeze, "sweeper"};
  });
  CHECK(refusal(world) == reason::kHeld);
  CHECK(world.session()->phase == Phase::kThawing);
  CHECK(world.session()->intent.call == Intent::Call::kFreeze);
  CHECK(world.session()->doubts.empty());
  CHECK_FALSE(world.session()->unsettled);
}

TEST_CASE("a session that is being held ends with a thaw, and is left alone") {
  const auto phase = GENERATE(Phase::kFrozen, Phase::kFreezing, Phase::kArmed);
  World world;
  world.set_deadline("0s");
  world.put_session([&](Session& session) {
    session.phase = phase;
    if (phase == Phase::kArmed) session.intent = {freeze::Intent::Call::kUnfreeze, "sweeper-0", {"uid-1"}};
  });
  world.store("disk-2", {}, "", "pvc-9");
  const Outcome outcome = world.admit(harvester_review("disk-0", "b1", test::kBackupUid, "pvc-9"));
  CHECK(outcome.decision == reason::kNotItsDisk);
  CHECK(world.session()->phase == phase);
  CHECK(world.session()->doubts.empty());
}

TEST_CASE("what Harvester did not freeze is not thawed") {
  World world;
  world.store("disk-2", {});
  SECTION("it says so") {
    world.set_deadline("0s");
    Json& backup = world.api.objects[path_of(kube::kHarvesterBackups, "b1")];
    Json metadata = backup["metadata"];
    const char* said = GENERATE("false", "");
    const Json annotations = Json::object({{freeze::kHarvesterFreezeAnnotation, said}});
    backup.set("metadata", metadata.set("annotations", annotations));
  }
  SECTION("KubeVirt takes a snapshot") {
    world.set_deadline("0s");
    world.api.objects[path_of(kube::kVirtualMachines, "vm1")] = json(R"({"status": {"snapshotInProgress": "s"}})");
  }
  SECTION("the guest is off") {
    world.set_deadline("0s");
    world.api.objects[path_of(kube::kVirtualMachineInstances, "vm1")].set("status", json(R"({"phase": "Succeeded"})"));
  }
  SECTION("who asks may not freeze it") {
    world.set_deadline("0s");
    world.api.may_freeze = false;
  }
  SECTION("a snapshot that is not the backup's") {
    world.set_deadline("0s");
    world.admit(harvester_review("disk-9"));
  }
  SECTION("a dry run") {
    world.set_deadline("0s");
    Review review = harvester_review("disk-0");
    review.dry_run = true;
    world.admit(review);
    CHECK_FALSE(world.session());
    return;
  }
  if (world.api.may_freeze && world.api.count("disk-9") + world.api.count("b1") == 0) {
    world.admit(harvester_review("disk-0"));
  }
  CHECK_FALSE(world.session());
  CHECK(world.api.count("PUT") == 0);
}

TEST_CASE("while the guest rests nobody without the right to freeze it has it thawed") {
  World world;
  world.set_deadline("0s");
  world.api.may_freeze = false;
  world.put_session([](Session& session) { session.phase = Phase::kResting; });
  CHECK(refusal(world) == reason::kCoolDown);
  CHECK(world.session()->phase == Phase::kResting);
}

TEST_CASE("what becomes of the other side's unsettled call is never forgotten") {
  World world;
  world.api.statuses["/apis/subresources.kubevirt.io/v1/namespaces/vms/virtualmachineinstances/vm1/freeze"] = 409;
  world.api.on_call = [&](const kube::Request& request) {
    if (!request.target.ends_with("/freeze")) return;
    world.api.change_lease("snapfreeze.harvesterhci.io/phase", "Thawing");
    world.api.change_lease("snapfreeze.harvesterhci.io/unsettled", "true");
  };
  CHECK(world.admit(harvester_review("disk-0")).decision == reason::kFreezeFailed);
  CHECK(world.session()->unsettled);
  CHECK(world.session()->doubts == std::vector<freeze::Reason>{reason::kFreezeFailed});
}

TEST_CASE("a lost race for the Lease is decided again") {
  World world;
  world.set_deadline("0s");
  world.store("disk-2", {});
  world.api.on_call = [&](const kube::Request& request) {
    if (request.method != kube::Method::kPost || !request.target.ends_with("/leases")) return;
    world.api.on_call = nullptr;
    world.put_session([](Session& session) { session.phase = Phase::kThawing; });
  };
  CHECK(refusal(world) == reason::kLate);
  CHECK(world.session()->intent.call == Intent::Call::kFreeze);
  CHECK(world.api.objects.contains(kLease));
}

}  // namespace
}  // namespace snapfreeze::webhook
