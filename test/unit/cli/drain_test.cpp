// snapfreeze is to be removed at any moment of a backup, in virtual time: when it is said to be drained, nobody is
// frozen, no record is left, each backup has its verdict, and nothing begins any more.
#include "cli/drain/drain.h"

#include <algorithm>

#include "freeze/names.h"
#include "test/support/catch.h"
#include "test/sim/story.h"

namespace snapfreeze::cli {
namespace {

using End = Drain::End;
using test::Sim;

constexpr Millis kPatience{210000};
constexpr char kCaller[] = "draining";

struct Removal {
  explicit Removal(Sim& sim) : api(sim.cluster, kCaller), clock(sim.runtime) {}

  Drain run(Millis patience = kPatience) {
    return drain(api, clock, test::kOwnNamespace, patience,
                 [this](const std::string& words) { said.push_back(words); });
  }

  cluster::InProcessApi api;
  cluster::SimClock clock;
  std::vector<std::string> said;
};

// What the webhook has let in with a freeze.
bool admitted(Sim& sim) {
  const auto snapshots = sim.objects("snapshot.storage.k8s.io", "volumesnapshots");
  return std::ranges::any_of(snapshots, [](const cluster::Json& snapshot) {
    return snapshot["metadata"].contains("labels") && snapshot["metadata"]["labels"].contains(freeze::kEpochLabel);
  });
}

bool registered(Sim& sim) {
  return !sim.objects("admissionregistration.k8s.io", "mutatingwebhookconfigurations").empty();
}

TEST_CASE("a drain at any moment of a backup leaves nothing behind, and no backup without its verdict") {
  int consistent = 0;
  for (Millis at{0}; at < Millis(3500); at += Millis(100)) {
    CAPTURE(at.count());
    Sim sim(7);
    sim.cut_after(Millis(1500));
    sim.lead();
    sim.backup("b1");
    sim.sleep(at);
    REQUIRE(Removal(sim).run().end == End::kDrained);
    CHECK_FALSE(registered(sim));
    CHECK(sim.sessions().empty());
    CHECK_FALSE(sim.frozen());
    if (admitted(sim)) CHECK_FALSE(sim.consistency("b1").empty());
    if (sim.consistency("b1") == "filesystem") {
      CHECK(sim.truth("b1", 1).filesystem);
      ++consistent;
    }
    sim.backup("b2");
    sim.sleep(std::chrono::seconds(20));
    CHECK(sim.sessions().empty());
    CHECK(sim.consistency("b2").empty());
    CHECK(sim.unrecorded.empty());
  }
  CHECK(consistent > 20);
}

TEST_CASE("a drain waits for an admission that began before, and has written nothing yet") {
  Sim sim;
  sim.cut_after(Millis(500));
  sim.lead();
  cluster::Fault slow;
  slow.kind = cluster::FaultKind::kDelayAfter;
  slow.path = "/virtualmachineinstances/";
  slow.verb = "get";
  slow.delay = Millis(4000);
  sim.cluster.locked([&] { sim.cluster.faults().add(slow); });
  sim.backup("b1");
  sim.sleep(Millis(500));
  REQUIRE(sim.sessions().empty());
  Removal removal(sim);
  CHECK(removal.run().end == End::kDrained);
  CHECK_FALSE(sim.consistency("b1").empty());
  CHECK(sim.sessions().empty());
  CHECK(removal.said ==
        std::vector<std::string>{"the webhook's registration is gone: no backup freezes its VM any more",
                                 "no guest is held; waiting for admissions that may still be under way",
                                 "waiting for vms/vm1 (Frozen)",
                                 "no guest is held; waiting for admissions that may still be under way"});
}

TEST_CASE("a drain names the guests that nobody thaws, and ends") {
  Sim sim;
  sim.cut_after(Millis(3000));
  sim.lead().kill();
  sim.backup("b1");
  REQUIRE(sim.wait(Millis(5000), [&] { return !sim.sessions().empty(); }));
  const Drain result = Removal(sim).run(Millis(40000));
  CHECK(result.end == End::kHeld);
  REQUIRE(result.left.size() == 1);
  CHECK(result.left[0].vm == "vm1");
  CHECK_FALSE(sim.frozen());  // by its own timer
}

TEST_CASE("a drain that may not, or cannot, says so") {
  Sim sim;
  sim.lead();
  SECTION("take the registration away") {
    sim.cluster.locked([&] { sim.cluster.access().deny({kCaller, "delete", "", "", "", ""}); });
    const Drain result = Removal(sim).run();
    CHECK(result.end == End::kNotAllowed);
    CHECK(result.error.message.find("mutatingwebhookconfigurations") != std::string::npos);
    CHECK(registered(sim));
  }
  SECTION("read the sessions") {
    sim.cluster.locked([&] { sim.cluster.access().deny({kCaller, "list", "", "leases", "", ""}); });
    CHECK(Removal(sim).run().end == End::kNotAllowed);
  }
  SECTION("reach the API server, for a while") {
    sim.cluster.locked([&] {
      sim.cluster.faults().add(cluster::refusal(kCaller, "delete", "", 500, 3));
      sim.cluster.faults().add(cluster::refusal(kCaller, "list", "", 500, 3));
    });
    CHECK(Removal(sim).run().end == End::kDrained);
    CHECK_FALSE(registered(sim));
  }
  SECTION("reach the API server at all") {
    sim.cluster.locked([&] { sim.cluster.faults().add(cluster::refusal(kCaller, "list", "", 500)); });
    CHECK(Removal(sim).run(Millis(30000)).end == End::kUnreadable);
  }
}

TEST_CASE("a drain of what is drained already ends well") {
  Sim sim;
  sim.lead();
  REQUIRE(Removal(sim).run().end == End::kDrained);
  Removal again(sim);
  CHECK(again.run().end == End::kDrained);
  CHECK(again.said.front() == "the webhook is not registered: no backup freezes its VM");
}

}  // namespace
}  // namespace snapfreeze::cli
