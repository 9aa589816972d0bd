// A guest is thawed by hand at any moment of a backup, in virtual time: nobody is told that such a backup is consistent
// when it is not, no guest stays frozen, and no call goes out that is not on record.
#include "cli/thaw/thaw.h"

#include "freeze/names.h"
#include "test/sim/story.h"
#include "test/support/catch.h"

namespace snapfreeze::cli {
namespace {

using End = HandThaw::End;
using sim::Story;

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
      const auto lease = cluster_.get("coordination.k8s.io/leases", sim::kOwnNamespace, "vms.vm1");
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
  explicit Admin(Story& story)
      : connection(story.cluster, "by-hand"), api(story.cluster, connection), clock(story.runtime) {}

  HandThaw thaw(const std::string& vm = "vm1", Home::Known known = Home::Known::kRegistered,
                const std::string& home = sim::kOwnNamespace) {
    freeze::SessionStore sessions(api, home);
    return thaw_by_hand({api, clock, sessions}, {"vms", vm, {home, known}, "by-hand/desk"});
  }

  cluster::InProcessApi connection;
  RecordWitness api;
  cluster::SimClock clock;
};

void slow_storage(Story& story, Millis cut) {
  cluster::DiskOptions slow;
  slow.cut = cut;
  story.cluster.storage().set_default(slow);
}

TEST_CASE("a thaw at any moment of a backup never leaves a false verdict") {
  int crashes = 0;
  int consistent = 0;
  for (Millis at{0}; at < Millis(3500); at += Millis(35)) {
    CAPTURE(at.count());
    Story story(7, three_disks());
    slow_storage(story, Millis(1500));
    story.lead();
    story.backup("b1");
    story.sleep(at);
    Admin admin(story);
    CHECK(admin.thaw().end == End::kThawed);
    CHECK_FALSE(story.frozen());
    REQUIRE(story.wait_for_verdict("b1", Millis(100000)));
    const bool filesystem = story.consistency("b1") == "filesystem";
    if (filesystem) CHECK(story.truth("b1", kDisks).filesystem);
    (filesystem ? consistent : crashes) += 1;
    CHECK(story.wait_for_no_session());
    CHECK_FALSE(story.frozen());
    CHECK(story.unrecorded().empty());
    CHECK(admin.api.unrecorded_calls == 0);
    CHECK(admin.api.recorded_calls == 1);
  }
  // It was tried before, during and after.
  CHECK(crashes > 20);
  CHECK(consistent > 10);
}

TEST_CASE("a guest that is thawed while it is held: its backup says so, and nothing begins for a minute") {
  Story story(1, three_disks());
  slow_storage(story, Millis(3000));
  story.lead();
  story.backup("b1");
  story.sleep(Millis(1500));
  REQUIRE(story.frozen());
  Admin admin(story);
  const HandThaw result = admin.thaw();
  CHECK(result.end == End::kThawed);
  CHECK(result.crash);
  REQUIRE(result.did.size() == 3);
  CHECK(result.did[0].starts_with("it is held for b1 (Frozen since "));
  CHECK(result.did[1] == "recorded in Lease snapfreeze/vms.vm1, for the sweeper");
  CHECK(result.did[2] == "thawed");
  REQUIRE(story.wait_for_verdict("b1"));
  CHECK(story.consistency("b1") == "crash");
  CHECK(story.reason("b1") == freeze::reason::kThawedByHand);
  story.backup("b2");
  REQUIRE(story.wait_for_verdict("b2"));
  CHECK(story.reason("b2") == freeze::reason::kCoolDown);
  CHECK(story.wait_for_no_session());
  story.backup("b3");
  REQUIRE(story.wait_for_verdict("b3"));
  CHECK(story.consistency("b3") == "filesystem");
  CHECK(story.unrecorded().empty());
}

TEST_CASE("a freeze that is under way is waited for, and an abandoned one is not") {
  cluster::VmOptions vm = three_disks();
  vm.freeze_latency = Millis(4000);
  Story story(1, vm);
  slow_storage(story, Millis(20000));
  story.lead();
  story.backup("b1");
  REQUIRE(story.wait(Millis(9000), [&] { return !story.sessions().empty(); }));
  Admin admin(story);
  const Mono begin = story.runtime.now();
  SECTION("under way") {
    const HandThaw result = admin.thaw();
    CHECK(result.end == End::kThawed);
    CHECK(result.did.front() == "it is being frozen; waiting for that to end");
    CHECK(story.runtime.now() - begin > Millis(2000));
    CHECK(story.runtime.now() - begin < Millis(15000));
    CHECK(story.unrecorded().empty());
  }
  SECTION("abandoned") {
    story.kill("webhook-0");
    story.kill("sweeper-0");
    CHECK(admin.thaw().end == End::kThawed);
    CHECK(story.runtime.now() - begin >= freeze::kLongestFreezing);
    CHECK(story.runtime.now() - begin < Millis(40000));
  }
  CHECK_FALSE(story.frozen());
}

// The call that is lost is carried out when the next backup holds the guest: what that says must be true.
TEST_CASE("a thaw that is carried out late thaws no later backup unseen") {
  for (const Millis late : {Millis(20000), Millis(45000), Millis(59000)}) {
    for (const Millis between : {Millis(1000), Millis(15000), Millis(40000), Millis(58000)}) {
      CAPTURE(late.count(), between.count());
      Story story(3, three_disks());
      slow_storage(story, Millis(8000));
      story.lead();
      cluster::GuestFault fault;
      fault.operation = "unfreeze";
      fault.kind = cluster::GuestFaultKind::kLate;
      fault.caller = "by-hand";
      fault.count = 3;
      fault.delay = late;
      story.cluster.guests().add_fault("vms", "vm1", fault);
      Admin admin(story);
      const HandThaw result = admin.thaw();
      CHECK(result.end == End::kUnsettled);
      story.sleep(between);
      for (int i = 0; i < 4; ++i) {
        const std::string name = "b" + std::to_string(i);
        story.backup(name);
        REQUIRE(story.wait_for_verdict(name));
        if (story.consistency(name) == "filesystem") CHECK(story.truth(name, kDisks).filesystem);
        story.sleep(Millis(9000));
      }
      CHECK(story.wait_for_no_session());
      CHECK_FALSE(story.frozen());
      CHECK(story.unrecorded().empty());
      CHECK(admin.api.recorded_calls == 3);
      CHECK(admin.api.unrecorded_calls == 0);
    }
  }
}

TEST_CASE("a guest that rests is thawed at the end of its rest too, and the rest begins anew") {
  Story story(1, three_disks());
  slow_storage(story, Millis(3000));
  story.lead();
  story.backup("b1");
  story.sleep(Millis(1500));
  Admin admin(story);
  CHECK(admin.thaw().end == End::kThawed);
  REQUIRE(story.wait_for_verdict("b1"));
  const std::string reason = story.reason("b1");
  story.sleep(Millis(50000));
  const HandThaw again = admin.thaw();
  CHECK(again.end == End::kThawed);
  CHECK_FALSE(again.crash);
  CHECK(again.did.front() == "its session is ending (Resting); the verdict stands");
  story.sleep(Millis(45000));
  CHECK_FALSE(story.sessions().empty());
  CHECK(story.wait_for_no_session());
  CHECK(story.reason("b1") == reason);
}

TEST_CASE("without a sweeper the record waits for one") {
  Story story(1, three_disks());
  slow_storage(story, Millis(20000));
  story.lead();
  story.backup("b1");
  story.sleep(Millis(1500));
  story.kill("sweeper-0");
  Admin admin(story);
  CHECK(admin.thaw().end == End::kThawed);
  CHECK_FALSE(story.frozen());
  story.sleep(Millis(40000));
  CHECK(story.consistency("b1").empty());
  story.start_sweeper("sweeper-1");
  REQUIRE(story.wait_for_verdict("b1"));
  CHECK(story.consistency("b1") == "crash");
  CHECK(story.reason("b1") == freeze::reason::kThawedByHand);
}

TEST_CASE("Windows is thawed as any other") {
  Story story(1, three_disks(true));
  slow_storage(story, Millis(5000));
  story.lead();
  story.backup("b1");
  story.sleep(Millis(1500));
  Admin admin(story);
  CHECK(admin.thaw().end == End::kThawed);
  REQUIRE(story.wait_for_verdict("b1"));
  CHECK(story.reason("b1") == freeze::reason::kThawedByHand);
}

TEST_CASE("a guest that cannot be thawed, or a record that cannot be written") {
  Story story(1, three_disks());
  Admin admin(story);
  SECTION("there is no such VM") {
    CHECK(admin.thaw("vm9").end == End::kNoSuchVm);
  }
  SECTION("it does not run") {
    story.cluster.guests().stop("vms", "vm1");
    story.sleep(Millis(5000));
    CHECK(admin.thaw().end == End::kNotRunning);
    CHECK(story.sessions().empty());
  }
  SECTION("leases are forbidden: it is not touched") {
    story.cluster.locked([&] { story.cluster.access().deny({"by-hand", "", "", "leases", "", ""}); });
    const HandThaw result = admin.thaw();
    CHECK(result.end == End::kNotRecorded);
    CHECK(result.error.message.find("cannot get resource \"leases\"") != std::string::npos);
    CHECK(admin.api.unrecorded_calls == 0);
  }
  SECTION("unfreeze is forbidden: the sweeper is told all the same") {
    story.cluster.locked([&] {
      story.cluster.access().deny({"by-hand", "", "", "virtualmachineinstances/unfreeze", "", ""});
    });
    CHECK(admin.thaw().end == End::kRefused);
    CHECK(story.sessions().size() == 1);
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
    story.cluster.add_fault(busy);
    CHECK(admin.thaw().end == End::kNotRecorded);
  }
}

}  // namespace
}  // namespace snapfreeze::cli
