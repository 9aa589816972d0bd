// snapfreeze is to be removed at any moment of a backup, in virtual time: when it is said to be drained, nobody is
// frozen, no record is left, each backup has its verdict, and nothing begins any more.
#include "cli/drain/drain.h"

#include <algorithm>

#include "freeze/names.h"
#include "test/sim/story.h"
#include "test/support/catch.h"

namespace snapfreeze::cli {
namespace {

using End = Drain::End;
using sim::Story;

constexpr Millis kPatience{210000};
constexpr char kCaller[] = "draining";

struct Removal {
  explicit Removal(Story& story) : api(story.cluster, kCaller), clock(story.runtime) {}

  Drain run(Millis patience = kPatience) {
    return drain(api, clock, sim::kOwnNamespace, patience, [this](const std::string& words) { said.push_back(words); });
  }

  cluster::InProcessApi api;
  cluster::SimClock clock;
  std::vector<std::string> said;
};

// What the webhook has let in with a freeze.
bool admitted(Story& story) {
  const auto snapshots = story.objects("snapshot.storage.k8s.io", "volumesnapshots");
  return std::ranges::any_of(snapshots, [](const cluster::Json& snapshot) {
    return snapshot["metadata"].contains("labels") && snapshot["metadata"]["labels"].contains(freeze::kEpochLabel);
  });
}

bool registered(Story& story) {
  return !story.objects("admissionregistration.k8s.io", "mutatingwebhookconfigurations").empty();
}

TEST_CASE("a drain at any moment of a backup leaves nothing behind, and no backup without its verdict") {
  int consistent = 0;
  for (Millis at{0}; at < Millis(3500); at += Millis(100)) {
    CAPTURE(at.count());
    Story story(7);
    story.cut_after(Millis(1500));
    story.lead();
    story.backup("b1");
    story.sleep(at);
    REQUIRE(Removal(story).run().end == End::kDrained);
    CHECK_FALSE(registered(story));
    CHECK(story.sessions().empty());
    CHECK_FALSE(story.frozen());
    if (admitted(story)) CHECK_FALSE(story.consistency("b1").empty());
    if (story.consistency("b1") == "filesystem") {
      CHECK(story.truth("b1", 1).filesystem);
      ++consistent;
    }
    story.backup("b2");
    story.sleep(std::chrono::seconds(20));
    CHECK(story.sessions().empty());
    CHECK(story.consistency("b2").empty());
    CHECK(story.unrecorded().empty());
  }
  CHECK(consistent > 20);
}

TEST_CASE("a drain waits for an admission that began before, and has written nothing yet") {
  Story story;
  story.cut_after(Millis(500));
  story.lead();
  cluster::Fault slow;
  slow.kind = cluster::FaultKind::kDelayAfter;
  slow.path = "/virtualmachineinstances/";
  slow.verb = "get";
  slow.delay = Millis(4000);
  story.cluster.locked([&] { story.cluster.faults().add(slow); });
  story.backup("b1");
  story.sleep(Millis(500));
  REQUIRE(story.sessions().empty());
  Removal removal(story);
  CHECK(removal.run().end == End::kDrained);
  CHECK_FALSE(story.consistency("b1").empty());
  CHECK(story.sessions().empty());
  CHECK(removal.said ==
        std::vector<std::string>{"the webhook's registration is gone: no backup freezes its VM any more",
                                 "no guest is held; waiting for admissions that may still be under way",
                                 "waiting for vms/vm1 (Frozen)",
                                 "no guest is held; waiting for admissions that may still be under way"});
}

TEST_CASE("a drain names the guests that nobody thaws, and ends") {
  Story story;
  story.cut_after(Millis(3000));
  story.lead().kill();
  story.backup("b1");
  REQUIRE(story.wait(Millis(5000), [&] { return !story.sessions().empty(); }));
  const Drain result = Removal(story).run(Millis(40000));
  CHECK(result.end == End::kHeld);
  REQUIRE(result.left.size() == 1);
  CHECK(result.left[0].vm == "vm1");
  CHECK_FALSE(story.frozen());  // by its own timer
}

TEST_CASE("a drain that may not, or cannot, says so") {
  Story story;
  story.lead();
  SECTION("take the registration away") {
    story.cluster.locked([&] { story.cluster.access().deny({kCaller, "delete", "", "", "", ""}); });
    const Drain result = Removal(story).run();
    CHECK(result.end == End::kNotAllowed);
    CHECK(result.error.message.find("mutatingwebhookconfigurations") != std::string::npos);
    CHECK(registered(story));
  }
  SECTION("read the sessions") {
    story.cluster.locked([&] { story.cluster.access().deny({kCaller, "list", "", "leases", "", ""}); });
    CHECK(Removal(story).run().end == End::kNotAllowed);
  }
  SECTION("reach the API server, for a while") {
    story.cluster.locked([&] {
      story.cluster.faults().add(cluster::refusal(kCaller, "delete", "", 500, 3));
      story.cluster.faults().add(cluster::refusal(kCaller, "list", "", 500, 3));
    });
    CHECK(Removal(story).run().end == End::kDrained);
    CHECK_FALSE(registered(story));
  }
  SECTION("reach the API server at all") {
    story.cluster.locked([&] { story.cluster.faults().add(cluster::refusal(kCaller, "list", "", 500)); });
    CHECK(Removal(story).run(Millis(30000)).end == End::kUnreadable);
  }
}

TEST_CASE("a drain of what is drained already ends well") {
  Story story;
  story.lead();
  REQUIRE(Removal(story).run().end == End::kDrained);
  Removal again(story);
  CHECK(again.run().end == End::kDrained);
  CHECK(again.said.front() == "the webhook is not registered: no backup freezes its VM");
}

}  // namespace
}  // namespace snapfreeze::cli
