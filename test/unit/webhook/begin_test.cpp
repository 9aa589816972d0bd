// Whatever fails while a session begins, the admission is answered in time and a Lease says what must be undone.
#include "webhook/begin.h"

#include "freeze/names.h"
#include "kube/paths.h"
#include "test/support/catch.h"
#include "test/unit/webhook/world.h"

namespace snapfreeze::webhook {
namespace {

using freeze::Phase;
using freeze::Session;
using test::FakeFault;
using test::harvester_review;
using test::label_review;
using test::World;
namespace reason = freeze::reason;

constexpr char kLease[] = "/apis/coordination.k8s.io/v1/namespaces/snapfreeze/leases/vms.vm1";
constexpr char kGuest[] = "/apis/subresources.kubevirt.io/v1/namespaces/vms/virtualmachineinstances/vm1/";
// The number of each call of a backup's first disk.
constexpr int kCreate = 9;
constexpr int kUnfreeze = 10;
constexpr int kFreeze = 11;
constexpr int kRecord = 12;

std::vector<freeze::Reason> doubts(const World& world) {
  REQUIRE(world.session());
  return world.session()->doubts;
}

TEST_CASE("a refused freeze leaves a session that thaws, with nothing unsettled") {
  World world;
  world.api.statuses[std::string(kGuest) + "freeze"] = 409;
  CHECK(world.admit(harvester_review("disk-0")).decision == reason::kFreezeFailed);
  CHECK(world.session()->phase == Phase::kThawing);
  CHECK_FALSE(world.session()->unsettled);
  CHECK(world.session()->intent == freeze::Intent{});
  CHECK(doubts(world) == std::vector<freeze::Reason>{reason::kFreezeFailed});
}

TEST_CASE("a freeze that failed or was not answered is unsettled: the guest may be or become frozen, without a timer") {
  World world;
  SECTION("500") {
    world.api.faults[kFreeze] = {FakeFault::Kind::kStatus, 500};
  }
  SECTION("reply lost") {
    world.api.faults[kFreeze] = {FakeFault::Kind::kDropAfter};
  }
  SECTION("hangs") {
    world.api.faults[kFreeze] = {FakeFault::Kind::kHang};
  }
  const Outcome outcome = world.admit(harvester_review("disk-0"));
  CHECK(outcome.decision == reason::kFreezeFailed);
  CHECK_FALSE(outcome.error.empty());
  CHECK(world.session()->phase == Phase::kThawing);
  CHECK(world.session()->unsettled);
  CHECK(world.session()->intent.call == freeze::Intent::Call::kFreeze);
  CHECK(doubts(world) == std::vector<freeze::Reason>{reason::kFreezeFailed});
}

TEST_CASE("a guest that cannot be unfrozen first is not frozen") {
  World world;
  SECTION("refused") {
    world.api.faults[kUnfreeze] = {FakeFault::Kind::kStatus, 409};
    world.admit(harvester_review("disk-0"));
    CHECK_FALSE(world.session()->unsettled);
  }
  SECTION("not answered") {
    world.api.faults[kUnfreeze] = {FakeFault::Kind::kHang};
    world.admit(harvester_review("disk-0"));
    CHECK(world.session()->unsettled);
  }
  CHECK(world.session()->phase == Phase::kThawing);
  CHECK(world.api.count("/freeze") == 0);
}

TEST_CASE("Windows' late word on a former freeze does not stop ours") {
  World world;
  world.api.guest_error = "fsfreeze is limited up to 10 seconds";
  CHECK(world.admit(harvester_review("disk-0")).decision == kFroze);
}

TEST_CASE("a begin that takes long enough for Harvester's timer is doubted, but frozen") {
  World world;
  world.api.latency["unfreeze"] = Millis(600);
  CHECK(world.admit(harvester_review("disk-0")).decision == kFroze);
  CHECK(doubts(world) == std::vector<freeze::Reason>{reason::kHarvesterTimer});
}

TEST_CASE("a labelled snapshot has no timer of Harvester's to fear") {
  World world;
  world.api.every_call = Millis(300);
  CHECK(world.admit(label_review("s0", "nightly")).decision == kFroze);
  CHECK(doubts(world).empty());
}

TEST_CASE("a freeze that does not fit into the budget is not sent") {
  World world;
  world.api.latency["unfreeze"] = Millis(8100);
  CHECK(world.admit(harvester_review("disk-0")).decision == reason::kNoTime);
  CHECK(world.api.count("/freeze") == 0);
  CHECK(world.session()->phase == Phase::kThawing);
  CHECK(doubts(world).back() == reason::kAbandoned);
}

TEST_CASE("with too little time left nothing is begun") {
  World world;
  CHECK(world.admit(harvester_review("disk-0"), Millis(1005)).decision == reason::kNoTime);
  CHECK_FALSE(world.session());
}

TEST_CASE("a create without a reply is read back: ours goes on") {
  World world;
  world.api.faults[kCreate] = {FakeFault::Kind::kDropAfter};
  CHECK(world.admit(harvester_review("disk-0")).decision == kFroze);
}

TEST_CASE("a create without a reply that was not carried out touches no guest") {
  World world;
  world.api.faults[kCreate] = {FakeFault::Kind::kDropBefore};
  CHECK(world.admit(harvester_review("disk-0")).decision == reason::kApiError);
  CHECK(world.api.count("PUT") == 0);
}

TEST_CASE("a create without a reply that another admission won is theirs") {
  World world;
  world.api.faults[kCreate] = {FakeFault::Kind::kDropBefore};
  world.api.on_call = [&](const kube::Request& request) {
    if (request.method == kube::Method::kPost && request.target.ends_with("/leases")) {
      world.api.on_call = nullptr;
      world.put_session([](Session& session) { session.phase = Phase::kFreezing; });
      world.clock.after(Millis(300), [&] { world.api.change_lease("snapfreeze.harvesterhci.io/phase", "Frozen"); });
    }
  };
  CHECK(world.admit(harvester_review("disk-0")).decision == kJoined);
  CHECK(world.api.count("PUT") == 0);
}

TEST_CASE("a lost race is decided again from fresh reads") {
  World world;
  world.api.on_call = [&](const kube::Request& request) {
    if (request.method == kube::Method::kPost && request.target.ends_with("/leases")) {
      world.api.on_call = nullptr;
      world.put_session([](Session&) {});
    }
  };
  CHECK(world.admit(harvester_review("disk-0")).decision == kJoined);
  CHECK(world.api.count("PUT") == 0);
}

TEST_CASE("a record without a reply is read back") {
  World world;
  SECTION("carried out") {
    world.api.faults[kRecord] = {FakeFault::Kind::kDropAfter};
  }
  SECTION("not carried out") {
    world.api.faults[kRecord] = {FakeFault::Kind::kDropBefore};
  }
  SECTION("refused for now") {
    world.api.faults[kRecord] = {FakeFault::Kind::kStatus, 503};
  }
  CHECK(world.admit(harvester_review("disk-0")).decision == kFroze);
  CHECK(world.session()->phase == Phase::kFrozen);
}

TEST_CASE("a session edited while it was freezing is Frozen all the same") {
  World world;
  world.api.on_call = [&](const kube::Request& request) {
    if (request.target.ends_with("/freeze")) world.api.change_lease("note", "by hand");
  };
  CHECK(world.admit(harvester_review("disk-0")).decision == kFroze);
  CHECK(world.session()->phase == Phase::kFrozen);
}

TEST_CASE("a session that was taken away while it was freezing is thawed once more") {
  World world;
  const auto phase = GENERATE(as<std::string>{}, "Thawing", "Resting");
  world.api.on_call = [&](const kube::Request& request) {
    if (request.target.ends_with("/freeze")) world.api.change_lease("snapfreeze.harvesterhci.io/phase", phase);
  };
  CHECK(world.admit(harvester_review("disk-0")).decision == reason::kAbandoned);
  CHECK(world.session()->phase == Phase::kThawing);
  CHECK(world.session()->unsettled);
  CHECK(world.session()->intent.call == freeze::Intent::Call::kFreeze);
  CHECK(doubts(world).back() == reason::kAbandoned);
  // One that rests has given its verdicts.
  CHECK(world.session()->only_undoes() == (phase == "Resting"));
}

TEST_CASE("a session that is gone when its freeze answers is born again, Thawing") {
  World world;
  world.api.on_call = [&](const kube::Request& request) {
    if (request.target.ends_with("/freeze")) world.api.objects.erase(kLease);
  };
  CHECK(world.admit(harvester_review("disk-0")).decision == reason::kAbandoned);
  CHECK(world.session()->uid == "epoch-2");
  CHECK(world.session()->phase == Phase::kThawing);
  CHECK(world.session()->unsettled);
}

TEST_CASE("a session begun by another while our freeze was out is not trusted") {
  World world;
  world.api.on_call = [&](const kube::Request& request) {
    if (!request.target.ends_with("/freeze")) return;
    world.api.objects.erase(kLease);
    world.put_session([](Session&) {});
  };
  CHECK(world.admit(harvester_review("disk-0")).decision == reason::kAbandoned);
  CHECK(world.session()->uid == "epoch-2");
  CHECK(world.session()->phase == Phase::kThawing);
  CHECK(world.session()->unsettled);
  CHECK(doubts(world) == std::vector<freeze::Reason>{reason::kAbandoned});
}

TEST_CASE("what must be undone is written again and again while there is time") {
  World world;
  world.api.faults[kFreeze] = {FakeFault::Kind::kStatus, 500};
  for (int call = kRecord; call < kRecord + 6; ++call) world.api.faults[call] = {FakeFault::Kind::kStatus, 503};
  world.admit(harvester_review("disk-0"));
  CHECK(world.session()->phase == Phase::kThawing);
}

// The promise: after a failure of any call, in any way, the guest is untouched or a Lease says that it is to be thawed.
TEST_CASE("no failure of any one call leaves a guest without a record of what must be undone, nor takes too long") {
  const auto kind = GENERATE(FakeFault::Kind::kDropBefore, FakeFault::Kind::kDropAfter, FakeFault::Kind::kStatus,
                             FakeFault::Kind::kHang);
  const int call = GENERATE(range(1, kRecord + 1));
  CAPTURE(static_cast<int>(kind), call);
  World world;
  world.api.faults[call] = {kind, 500};
  const Mono start = world.clock.monotonic();
  const Outcome outcome = world.admit(harvester_review("disk-0"));
  CHECK(world.clock.monotonic() - start <= Millis(9000));
  REQUIRE(outcome.marks);
  const bool touched = world.api.count("PUT") > 0;
  if (touched) REQUIRE(world.session());
  if (outcome.decision == kFroze) {
    CHECK(world.session()->phase == Phase::kFrozen);
    CHECK(world.api.frozen);
  } else {
    CHECK(freeze::is_crash(outcome.marks->verdict));
    if (touched) CHECK(world.session()->phase == Phase::kThawing);
  }
}

TEST_CASE("a slow API server is answered for inside the budget") {
  const auto each = GENERATE(as<int>{}, 100, 500, 900, 1000, 2000, 6000, 20000);
  World world;
  world.api.every_call = Millis(each);
  const Mono start = world.clock.monotonic();
  const Outcome outcome = world.admit(harvester_review("disk-0"));
  CAPTURE(each, outcome.decision);
  CHECK(world.clock.monotonic() - start <= Millis(9010));
  CHECK((outcome.decision == kFroze) == (each <= 1000));
}

}  // namespace
}  // namespace snapfreeze::webhook
