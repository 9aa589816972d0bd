// A guest is thawed by hand at any moment of a backup, in virtual time: nobody is told that such a backup is consistent
// when it is not, no guest stays frozen, and no call goes out that is not on record.
#include "cli/thaw/thaw.h"

#include "freeze/names.h"
#include "test/support/catch.h"
#include "test/sim/story.h"

namespace snapfreeze::cli {
namespace {

using End = HandThaw::End;
using test::Sim;

constexpr int kDisks = 3;

cluster::VmOptions three_disks(bool windows = false) {
  cluster::VmOptions vm;
  vm.disks = kDisks;
  vm.windows = windows;
  return vm;
}

// Lets every call through, and counts the calls to a guest whose Lease does not say that one may come late. The intent
// is not asked for: the sweeper may have written its own by then, which leaves ours unsettled.
class RecordWitness : public kube::KubeApi {
 public:
  RecordWitness(cluster::Cluster& cluster, kube::KubeApi& api) : cluster_(cluster), api_(api) {}

  Result<kube::Response> call(const kube::Request& request) override {
    if (request.target.ends_with("/unfreeze")) {
      const auto lease = cluster_.get("coordination.k8s.io/leases", test::kOwnNamespace, "vms.vm1");
      const bool recorded = lease.is_object() && lease["metadata"]["annotations"].value(
                                                     "snapfreeze.harvesterhci.io/unsettled", "") == "true";
      (recorded ? recorded_calls : unrecorded_calls) += 1;
    }
    return api_.call(request);
  }
  Result<void> stream(const kube::Request& request, Millis idle, const kube::LineSink& sink) override {
    return api_.stream(request, idle, sink);
  }

  int recorded_calls = 0;
  int unrecorded_calls = 0;

 private:
  cluster::Cluster& cluster_;
  kube::KubeApi& api_;
};

// Somebody with a terminal.
struct Admin {
  explicit Admin(Sim& sim) : connection(sim.cluster, "by-hand"), api(sim.cluster, connection), clock(sim.runtime) {}

  HandThaw thaw(const std::string& vm = "vm1", Home::Known known = Home::Known::kRegistered,
                const std::string& home = test::kOwnNamespace) {
    freeze::SessionStore sessions(api, home);
    return thaw_by_hand({api, clock, sessions}, {"vms", vm, {home, known}, "by-hand/desk"});
  }

  cluster::InProcessApi connection;
  RecordWitness api;
  cluster::SimClock clock;
};

void slow_storage(Sim& sim, Millis cut) {
  cluster::DiskOptions slow;
  slow.cut = cut;
  sim.cluster.storage().set_default(slow);
}

TEST_CASE("a thaw at any moment of a backup never leaves a false verdict") {
  int crashes = 0;
  int consistent = 0;
  for (Millis at{0}; at < Millis(3500); at += Millis(35)) {
    CAPTURE(at.count());
    Sim sim(7, three_disks());
    slow_storage(sim, Millis(1500));
    sim.lead();
    sim.backup("b1");
    sim.sleep(at);
    Admin admin(sim);
    CHECK(admin.thaw().end == End::kThawed);
    CHECK_FALSE(sim.frozen());
    REQUIRE(sim.wait_for_verdict("b1", Millis(100000)));
    const bool filesystem = sim.consistency("b1") == "filesystem";
    if (filesystem) CHECK(sim.truth("b1", kDisks).filesystem);
    (filesystem ? consistent : crashes) += 1;
    CHECK(sim.wait_for_no_session());
    CHECK_FALSE(sim.frozen());
    CHECK(sim.unrecorded.empty());
    CHECK(admin.api.unrecorded_calls == 0);
    CHECK(admin.api.recorded_calls == 1);
  }
  // It was tried before, during and after.
  CHECK(crashes > 20);
  CHECK(consistent > 10);
}

TEST_CASE("a guest that is thawed while it is held: its backup says so, and nothing begins for a minute") {
  Sim sim(1, three_disks());
  slow_storage(sim, Millis(3000));
  sim.lead();
  sim.backup("b1");
  sim.sleep(Millis(1500));
  REQUIRE(sim.frozen());
  Admin admin(sim);
  const HandThaw result = admin.thaw();
  CHECK(result.end == End::kThawed);
  CHECK(result.crash);
  REQUIRE(result.did.size() == 3);
  CHECK(result.did[0].starts_with("it is held for b1 (Frozen since "));
  CHECK(result.did[1] == "recorded in Lease snapfreeze/vms.vm1, for the sweeper");
  CHECK(result.did[2] == "thawed");
  REQUIRE(sim.wait_for_verdict("b1"));
  CHECK(sim.consistency("b1") == "crash");
  CHECK(sim.reason("b1") == freeze::reason::kThawedByHand);
  sim.backup("b2");
  REQUIRE(sim.wait_for_verdict("b2"));
  CHECK(sim.reason("b2") == freeze::reason::kCoolDown);
  CHECK(sim.wait_for_no_session());
  sim.backup("b3");
  REQUIRE(sim.wait_for_verdict("b3"));
  CHECK(sim.consistency("b3") == "filesystem");
  CHECK(sim.unrecorded.empty());
}

TEST_CASE("a freeze that is under way is waited for, and an abandoned one is not") {
  cluster::VmOptions vm = three_disks();
  vm.freeze_latency = Millis(4000);
  Sim sim(1, vm);
  slow_storage(sim, Millis(20000));
  sim.lead();
  sim.backup("b1");
  REQUIRE(sim.wait(Millis(9000), [&] { return !sim.sessions().empty(); }));
  Admin admin(sim);
  const Mono begin = sim.runtime.now();
  SECTION("under way") {
    const HandThaw result = admin.thaw();
    CHECK(result.end == End::kThawed);
    CHECK(result.did.front() == "it is being frozen; waiting for that to end");
    CHECK(sim.runtime.now() - begin > Millis(2000));
    CHECK(sim.runtime.now() - begin < Millis(15000));
    CHECK(sim.unrecorded.empty());
  }
  SECTION("abandoned") {
    sim.webhook->kill();
    sim.sweepers.at("sweeper-0")->kill();
    CHECK(admin.thaw().end == End::kThawed);
    CHECK(sim.runtime.now() - begin >= freeze::kLongestFreezing);
    CHECK(sim.runtime.now() - begin < Millis(40000));
  }
  CHECK_FALSE(sim.frozen());
}

// The call that is lost is carried out when the next backup holds the guest: what that says must be true.
TEST_CASE("a thaw that is carried out late thaws no later backup unseen") {
  for (const Millis late : {Millis(20000), Millis(45000), Millis(59000)}) {
    for (const Millis between : {Millis(1000), Millis(15000), Millis(40000), Millis(58000)}) {
      CAPTURE(late.count(), between.count());
      Sim sim(3, three_disks());
      slow_storage(sim, Millis(8000));
      sim.lead();
      cluster::GuestFault fault;
      fault.operation = "unfreeze";
      fault.kind = cluster::GuestFaultKind::kLate;
      fault.caller = "by-hand";
      fault.count = 3;
      fault.delay = late;
      sim.cluster.guests().add_fault("vms", "vm1", fault);
      Admin admin(sim);
      const HandThaw result = admin.thaw();
      CHECK(result.end == End::kUnsettled);
      sim.sleep(between);
      for (int i = 0; i < 4; ++i) {
        const std::string name = "b" + std::to_string(i);
        sim.backup(name);
        REQUIRE(sim.wait_for_verdict(name));
        if (sim.consistency(name) == "filesystem") CHECK(sim.truth(name, kDisks).filesystem);
        sim.sleep(Millis(9000));
      }
      CHECK(sim.wait_for_no_session());
      CHECK_FALSE(sim.frozen());
      CHECK(sim.unrecorded.empty());
      CHECK(admin.api.recorded_calls == 3);
      CHECK(admin.api.unrecorded_calls == 0);
    }
  }
}

TEST_CASE("a guest that rests is thawed at the end of its rest too, and the rest begins anew") {
  Sim sim(1, three_disks());
  slow_storage(sim, Millis(3000));
  sim.lead();
  sim.backup("b1");
  sim.sleep(Millis(1500));
  Admin admin(sim);
  CHECK(admin.thaw().end == End::kThawed);
  REQUIRE(sim.wait_for_verdict("b1"));
  const std::string reason = sim.reason("b1");
  sim.sleep(Millis(50000));
  const HandThaw again = admin.thaw();
  CHECK(again.end == End::kThawed);
  CHECK_FALSE(again.crash);
  CHECK(again.did.front() == "its session is ending (Resting); the verdict stands");
  sim.sleep(Millis(45000));
  CHECK_FALSE(sim.sessions().empty());
  CHECK(sim.wait_for_no_session());
  CHECK(sim.reason("b1") == reason);
}

TEST_CASE("without a sweeper the record waits for one") {
  Sim sim(1, three_disks());
  slow_storage(sim, Millis(20000));
  sim.lead();
  sim.backup("b1");
  sim.sleep(Millis(1500));
  sim.sweepers.at("sweeper-0")->kill();
  Admin admin(sim);
  CHECK(admin.thaw().end == End::kThawed);
  CHECK_FALSE(sim.frozen());
  sim.sleep(Millis(40000));
  CHECK(sim.consistency("b1").empty());
  sim.start_sweeper("sweeper-1");
  REQUIRE(sim.wait_for_verdict("b1"));
  CHECK(sim.consistency("b1") == "crash");
  CHECK(sim.reason("b1") == freeze::reason::kThawedByHand);
}

TEST_CASE("Windows is thawed as any other") {
  Sim sim(1, three_disks(true));
  slow_storage(sim, Millis(5000));
  sim.lead();
  sim.backup("b1");
  sim.sleep(Millis(1500));
  Admin admin(sim);
  CHECK(admin.thaw().end == End::kThawed);
  REQUIRE(sim.wait_for_verdict("b1"));
  CHECK(sim.reason("b1") == freeze::reason::kThawedByHand);
}

TEST_CASE("a guest that cannot be thawed, or a record that cannot be written") {
  Sim sim(1, three_disks());
  Admin admin(sim);
  SECTION("there is no such VM") {
    CHECK(admin.thaw("vm9").end == End::kNoSuchVm);
  }
  SECTION("it does not run") {
    sim.cluster.guests().stop("vms", "vm1");
    sim.sleep(Millis(5000));
    CHECK(admin.thaw().end == End::kNotRunning);
    CHECK(sim.sessions().empty());
  }
  SECTION("leases are forbidden: it is not touched") {
    sim.cluster.locked([&] { sim.cluster.access().deny({"by-hand", "", "", "leases", "", ""}); });
    const HandThaw result = admin.thaw();
    CHECK(result.end == End::kNotRecorded);
    CHECK(result.error.message.find("cannot get resource \"leases\"") != std::string::npos);
    CHECK(admin.api.unrecorded_calls == 0);
  }
  SECTION("unfreeze is forbidden: the sweeper is told all the same") {
    sim.cluster.locked([&] {
      sim.cluster.access().deny({"by-hand", "", "", "virtualmachineinstances/unfreeze", "", ""});
    });
    CHECK(admin.thaw().end == End::kRefused);
    CHECK(sim.sessions().size() == 1);
  }
  SECTION("our namespace is not there although somebody says so: it is not touched") {
    CHECK(admin.thaw("vm1", Home::Known::kRegistered, "elsewhere").end == End::kNotRecorded);
    CHECK(admin.thaw("vm1", Home::Known::kUnreadable, "elsewhere").end == End::kNotRecorded);
    CHECK(admin.thaw("vm1", Home::Known::kTold, "elsewhere").end == End::kNotRecorded);
    CHECK(admin.api.unrecorded_calls == 0);
  }
  SECTION("nothing is installed: it is thawed") {
    CHECK(admin.thaw("vm1", Home::Known::kAbsent, "elsewhere").end == End::kThawed);
  }
  SECTION("who loses every race gives up") {
    cluster::Fault busy = cluster::refusal("by-hand", "create", "leases", 409);
    sim.cluster.add_fault(busy);
    CHECK(admin.thaw().end == End::kNotRecorded);
  }
}

}  // namespace
}  // namespace snapfreeze::cli
