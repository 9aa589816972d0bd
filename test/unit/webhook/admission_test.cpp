// The flow of an admission, call by call.
#include "webhook/admission.h"

#include "freeze/names.h"
#include "kube/paths.h"
#include "test/support/catch.h"
#include "test/unit/webhook/world.h"

namespace snapfreeze::webhook {
namespace {

using freeze::Hold;
using freeze::Phase;
using freeze::Session;
using test::check_crash;
using test::harvester_review;
using test::json;
using test::path_of;
using test::World;
namespace reason = freeze::reason;

TEST_CASE("the first disk of a backup freezes its guest, with every step on record before it is taken") {
  World world;
  const Outcome outcome = world.admit(harvester_review("disk-1"));
  CHECK(outcome.decision == kFroze);
  REQUIRE(outcome.marks);
  CHECK(outcome.marks->epoch == "epoch-1");
  CHECK(outcome.marks->backup == "b1");
  CHECK(outcome.marks->vm == "vm1");
  CHECK_FALSE(outcome.marks->verdict);
  CHECK(outcome.warnings.empty());

  const std::string snapshots = "/apis/snapshot.storage.k8s.io/v1/namespaces/vms/volumesnapshots/";
  const std::string guest = "/apis/subresources.kubevirt.io/v1/namespaces/vms/virtualmachineinstances/vm1/";
  const std::string leases = "/apis/coordination.k8s.io/v1/namespaces/snapfreeze/leases";
  CHECK(world.api.ledger == std::vector<std::string>{
                                "GET /apis/harvesterhci.io/v1beta1/namespaces/vms/virtualmachinebackups/b1",
                                "GET " + leases + "/vms.vm1",
                                "GET /apis/kubevirt.io/v1/namespaces/vms/virtualmachineinstances/vm1",
                                "GET /apis/kubevirt.io/v1/namespaces/vms/virtualmachines/vm1",
                                "POST /apis/authorization.k8s.io/v1/subjectaccessreviews",
                                "GET " + snapshots + "disk-1",
                                "GET " + snapshots + "disk-0",
                                "GET " + snapshots + "disk-2",
                                "POST " + leases,
                                "PUT " + guest + "unfreeze [Freezing]",
                                "PUT " + guest + R"(freeze {"unfreezeTimeout":"30s"}[Freezing])",
                                "PATCH " + leases + "/vms.vm1",
                            });
}

TEST_CASE("the session on record says who froze what for whom, and since when at the latest") {
  World world;
  world.admit(harvester_review("disk-1"));
  const auto session = world.session();
  REQUIRE(session);
  CHECK(session->phase == Phase::kFrozen);
  CHECK(session->vmi_uid == "vm1-vmi-uid");
  CHECK(session->timer == std::chrono::seconds(30));
  CHECK(session->holder == "replica-1/review-of-disk-1");
  CHECK(session->holds == std::vector<Hold>{{Hold::Kind::kHarvester, "b1", test::kBackupUid, 0}});
  CHECK(session->intent == freeze::Intent{});
  CHECK_FALSE(session->unsettled);
  CHECK(session->doubts.empty());
  REQUIRE(session->frozen_by);
  CHECK(*session->frozen_by >= world.clock.wall() - Millis(5));
  CHECK(*session->frozen_by <= world.clock.wall() + std::chrono::seconds(1));
}

TEST_CASE("a joining disk costs exactly two reads and no call to the guest") {
  World world;
  world.store("disk-1", world.admit(harvester_review("disk-1")));
  world.pass(Millis(1001));
  world.api.ledger.clear();
  const Outcome outcome = world.admit(harvester_review("disk-0"));
  CHECK(outcome.decision == kJoined);
  CHECK(outcome.marks->epoch == "epoch-1");
  CHECK_FALSE(outcome.marks->verdict);
  CHECK(world.api.ledger.size() == 2);
  CHECK(world.api.count("GET ") == 2);
}

TEST_CASE("T is the backup's own, within the bounds, and 8 s on Windows") {
  const auto [deadline, seconds] = GENERATE(
      table<std::string, int>({{"", 30}, {"0s", 30}, {"10s", 10}, {"1s", 5}, {"10m", 60}, {"1500ms", 5}, {"x", 30}}));
  World world;
  world.api.objects[path_of(kube::kHarvesterBackups, "b1")] =
      test::backup("b1", test::kBackupUid, "vm1", {"disk-0"}, deadline);
  world.admit(harvester_review("disk-0"));
  CHECK(world.api.count("{\"unfreezeTimeout\":\"" + std::to_string(seconds) + "s\"}") == 1);
  CHECK(world.session()->timer == std::chrono::seconds(seconds));
}

TEST_CASE("a Windows guest is frozen for 8 s") {
  World world;
  Json vmi = test::running_vmi("vm1");
  Json status = vmi["status"];
  vmi.set("status", status.set("guestOSInfo", json(R"({"id": "mswindows"})")));
  world.api.objects[path_of(kube::kVirtualMachineInstances, "vm1")] = vmi;
  world.admit(harvester_review("disk-0"));
  CHECK(world.session()->timer == std::chrono::seconds(8));
  CHECK(world.session()->windows);
}

TEST_CASE("while no sweeper is alive no guest is frozen, but a session is joined") {
  World world;
  world.sweeper.observe(Error{Code::kNotFound, "", 404}, world.clock.monotonic());
  check_crash(world.admit(harvester_review("disk-0")), reason::kNoSweeper);
  CHECK(world.api.ledger.size() == 2);
  world.put_session([](Session&) {});
  CHECK(world.admit(harvester_review("disk-0")).decision == kJoined);
}

TEST_CASE("a stopped VM's disks get an epoch and no verdict yet") {
  World world;
  world.api.objects.erase(path_of(kube::kVirtualMachineInstances, "vm1"));
  const Outcome outcome = world.admit(harvester_review("disk-0"));
  CHECK(outcome.decision == kNoGuest);
  CHECK(outcome.marks->epoch == freeze::kEpochOffline);
  CHECK_FALSE(outcome.marks->verdict);
  CHECK(world.api.count("PUT") + world.api.count("POST") == 0);
  CHECK(world.api.ledger.size() == 4);
}

TEST_CASE("a disk admitted while the webhook was down makes the others late") {
  World world;
  world.store("disk-2", {});
  check_crash(world.admit(harvester_review("disk-0")), reason::kLate);
  CHECK(world.api.count("PUT") + world.api.count("POST /apis/coordination") == 0);
}

TEST_CASE("what cannot be read does not count as absent") {
  World world;
  const auto path = GENERATE(as<std::string>{}, path_of(kube::kHarvesterBackups, "b1"),
                             path_of(kube::kVirtualMachineInstances, "vm1"), path_of(kube::kVirtualMachines, "vm1"),
                             path_of(kube::kVolumeSnapshots, "disk-0"), path_of(kube::kVolumeSnapshots, "disk-2"));
  world.api.statuses[path] = GENERATE(403, 500);
  check_crash(world.admit(harvester_review("disk-0")), reason::kApiError);
  CHECK(world.api.count("PUT") + world.api.count("POST /apis/coordination") == 0);
}

TEST_CASE("a member that came with a session begun meanwhile makes nobody late") {
  World world;
  world.api.on_call = [&](const kube::Request& request) {
    if (!request.target.ends_with("/disk-0") || world.session()) return;
    world.store("disk-2", {});
    world.put_session([](Session&) {});
  };
  CHECK(world.admit(harvester_review("disk-0")).decision == kJoined);
}

TEST_CASE("a session of a newer version is left alone, also where Harvester's freeze has no timer") {
  World world;
  if (GENERATE(false, true)) world.set_deadline("0s");
  const auto phase = GENERATE(Phase::kFrozen, Phase::kFreezing, Phase::kThawing, Phase::kResting);
  world.put_session([&](Session& session) { session.phase = phase; });
  world.api.change_lease("snapfreeze.harvesterhci.io/format", "2");
  const std::string before = world.api.lease().dump();
  check_crash(world.admit(harvester_review("disk-0")), reason::kNewerFormat);
  CHECK(world.api.lease().dump() == before);
  for (const char* verb : {"PUT ", "POST ", "PATCH ", "DELETE "}) CHECK(world.api.count(verb) == 0);
}

TEST_CASE("a resting guest is left alone") {
  World world;
  world.put_session([](Session& session) { session.phase = Phase::kResting; });
  check_crash(world.admit(harvester_review("disk-0")), reason::kCoolDown);
  CHECK(world.api.ledger.size() == 4);
}

TEST_CASE("a VM that is off is offline also while its session rests, if it can be read") {
  World world;
  world.put_session([](Session& session) { session.phase = Phase::kResting; });
  world.api.objects.erase(path_of(kube::kVirtualMachineInstances, "vm1"));
  SECTION("it can") {
    const Outcome outcome = world.admit(harvester_review("disk-0"));
    CHECK(outcome.decision == kNoGuest);
    REQUIRE(outcome.marks);
    CHECK(outcome.marks->epoch == freeze::kEpochOffline);
    CHECK_FALSE(outcome.marks->verdict);
  }
  SECTION("it cannot") {
    world.api.statuses[path_of(kube::kVirtualMachines, "vm1")] = 500;
    check_crash(world.admit(harvester_review("disk-0")), reason::kCoolDown);
  }
  CHECK(world.session()->phase == Phase::kResting);
  CHECK(world.api.count("PUT") + world.api.count("POST") == 0);
}

TEST_CASE("a second backup of a frozen guest gets a hold") {
  World world;
  world.put_session([](Session& session) { session.holds[0] = {Hold::Kind::kHarvester, "b0", "b0-uid", 0}; });
  const Outcome outcome = world.admit(harvester_review("disk-0"));
  CHECK(outcome.decision == kJoined);
  CHECK(world.session()->holds.size() == 2);
  CHECK(world.session()->phase == Phase::kFrozen);
  CHECK(world.api.count("PUT") == 0);
}

TEST_CASE("a hold that lost a race is decided again from fresh reads") {
  World world;
  world.put_session([](Session& session) { session.holds[0] = {Hold::Kind::kHarvester, "b0", "b0-uid", 0}; });
  bool changed = false;
  world.api.on_call = [&](const kube::Request& request) {
    if (request.method != kube::Method::kPatch || std::exchange(changed, true)) return;
    world.api.change_lease("snapfreeze.harvesterhci.io/phase", "Thawing");
    world.clock.after(Millis(100), [&] {
      world.api.objects.erase("/apis/coordination.k8s.io/v1/namespaces/snapfreeze/leases/vms.vm1");
    });
  };
  CHECK(world.admit(harvester_review("disk-0")).decision == kFroze);
  CHECK(world.session()->holds.size() == 1);
}

TEST_CASE("a hold whose write was not answered is read back") {
  World world;
  world.put_session([](Session& session) { session.holds[0] = {Hold::Kind::kHarvester, "b0", "b0-uid", 0}; });
  world.api.faults[11] = {test::FakeFault::Kind::kDropAfter};
  CHECK(world.admit(harvester_review("disk-0")).decision == kJoined);
}

TEST_CASE("a freeze under way is waited for and joined") {
  World world;
  world.put_session([](Session& session) { session.phase = Phase::kFreezing; });
  world.clock.after(Millis(700), [&] { world.api.change_lease("snapfreeze.harvesterhci.io/phase", "Frozen"); });
  CHECK(world.admit(harvester_review("disk-0")).decision == kJoined);
  CHECK(world.api.count("PUT") == 0);
}

TEST_CASE("waits end with the budget, and the reason says for whom it was") {
  const auto phase = GENERATE(Phase::kFreezing, Phase::kThawing);
  World world;
  world.put_session([&](Session& session) { session.phase = phase; });
  const Mono start = world.clock.monotonic();
  check_crash(world.admit(harvester_review("disk-0")), phase == Phase::kFreezing ? reason::kNoTime : reason::kHeld);
  CHECK(world.clock.monotonic() - start > Millis(8500));
  CHECK(world.clock.monotonic() - start <= Millis(9000));
  CHECK(world.api.count("GET") < 60);
}

TEST_CASE("a process that is asked to stop waits no more") {
  World world;
  world.put_session([](Session& session) { session.phase = Phase::kThawing; });
  world.api.on_call = [&](const kube::Request&) { world.clock.stopping = true; };
  check_crash(world.admit(harvester_review("disk-0")), reason::kHeld);
}

TEST_CASE("above the cap of freezes in flight an admission is answered at once") {
  Settings settings;
  settings.max_freezes = 0;
  World world(settings);
  check_crash(world.admit(harvester_review("disk-0")), reason::kBusy);
  CHECK(world.api.count("POST /apis/coordination") == 0);
  world.put_session([](Session&) {});
  CHECK(world.admit(harvester_review("disk-0")).decision == kJoined);
}

TEST_CASE("above the cap of waiting admissions too") {
  Settings settings;
  settings.max_waits = 0;
  World world(settings);
  world.put_session([](Session& session) { session.phase = Phase::kThawing; });
  check_crash(world.admit(harvester_review("disk-0")), reason::kBusy);
}

TEST_CASE("of a disk that is created twice Harvester's freeze is left to the sweeper to undo") {
  World world;
  world.store("disk-0", {});
  check_crash(world.admit(harvester_review("disk-0")), reason::kDuplicate);
  const auto session = world.session();
  REQUIRE(session);
  CHECK(session->phase == Phase::kThawing);
  CHECK(session->intent.call == freeze::Intent::Call::kFreeze);
  CHECK(session->only_undoes());
  CHECK(world.api.count("PUT") == 0);
}

TEST_CASE("a backup that names thousands of snapshots does not hold an admission beyond its budget") {
  World world;
  std::vector<std::string> members{"disk-0"};
  for (int i = 1; i < 20000; ++i) members.push_back("m-" + std::to_string(i));
  world.api.objects[path_of(kube::kHarvesterBackups, "b1")] = test::backup("b1", test::kBackupUid, "vm1", members);
  world.api.every_call = Millis(20);
  const Mono start = world.clock.monotonic();
  check_crash(world.admit(harvester_review("disk-0")), reason::kApiError);
  CHECK(world.clock.monotonic() - start <= Millis(9000));
}

}  // namespace
}  // namespace snapfreeze::webhook
