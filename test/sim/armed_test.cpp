// Sessions whose thaw is written down ahead, and what can happen to them before and after it leaves.
#include <sstream>

#include "test/sim/story.h"
#include "test/support/catch.h"

using namespace sim;
using namespace snapfreeze;
using namespace std::chrono_literals;

namespace {

constexpr char kLease[] = "/apis/coordination.k8s.io/v1/namespaces/snapfreeze/leases/vms.vm1";

cluster::VmOptions two_disks() {
  cluster::VmOptions vm;
  vm.disks = 2;
  return vm;
}

// Two sweepers; the first one leads, and has seen the second one come.
struct Armed : Story {
  explicit Armed(std::uint64_t seed = 1) : Story(seed, two_disks()) {
    lead("sweeper-0");
    start_sweeper("sweeper-1");
    sleep(1s);
  }

  std::string phase() {
    const auto lease = cluster.get("coordination.k8s.io/leases", kOwnNamespace, "vms.vm1");
    return lease.is_null() ? "" : lease["metadata"]["annotations"].value("snapfreeze.harvesterhci.io/phase", "");
  }
  void arm(const std::string& name = "b1", Millis cut = 1200ms, const std::string& deadline = "") {
    cut_after(cut);
    backup(name, deadline);
    REQUIRE(wait(1000ms, [&] { return phase() == "Armed"; }));
  }
  // No event of a session reaches the first sweeper any more.
  void silence_sessions(Millis lasts) {
    cluster::Holdback silent;
    silent.caller = "sweeper-0";
    silent.path = "/coordination.k8s.io/v1/leases";
    silent.from = runtime.now();
    silent.until = silent.from + lasts;
    cluster.locked([&] { cluster.faults().hold_back(silent); });
  }
  void never_record() {
    cluster::Fault lost;
    lost.caller = "sweeper-0";
    lost.verb = "patch";
    lost.path = "vms.vm1";
    lost.count = -1;
    cluster.add_fault(lost);
  }
  void check_truth() {
    for (const std::string name : {"b1", "b2"}) {
      CAPTURE(name, reason(name));
      if (consistency(name) == "filesystem") CHECK(truth(name, 2).filesystem);
    }
    CHECK_FALSE(frozen());
    CHECK(unrecorded().empty());
  }
  // What a sweeper did to the session and its guest, in order.
  std::string deeds(const std::string& who) {
    std::istringstream lines(installation.record().timeline());
    std::string all;
    for (std::string line; std::getline(lines, line);) {
      if (line.find(who + "  ") == std::string::npos || line.find("->") != std::string::npos) continue;
      if (line.find("PATCH") != std::string::npos && line.ends_with("vms.vm1")) all += "write ";
      if (line.ends_with("/unfreeze")) all += "thaw ";
    }
    return all;
  }
};

}  // namespace

TEST_CASE("the thaw of an undisturbed backup leaves ahead of its record") {
  Armed story;
  story.arm();
  REQUIRE(story.wait_for_verdict("b1"));
  CHECK(story.consistency("b1") == "filesystem");
  CHECK(story.deeds("sweeper-0") == "write thaw write ");
  story.check_truth();
}

TEST_CASE("a leader that dies while it waits for the cuts of an armed session costs no verdict") {
  Armed story;
  story.arm("b1", 5000ms);
  story.kill("sweeper-0");
  REQUIRE(story.wait_for_verdict("b1"));
  CHECK(story.consistency("b1") == "filesystem");
  // Its call might have been on its way.
  CHECK(story.phase() == "Resting");
  CHECK(story.wait_for_no_session());
  story.check_truth();
}

// The thaw is carried out by the launcher long after its sender has died; the disks of the backup that had joined are
// cut just then. The status of a guest is up to 5 s old.
TEST_CASE("the next leader claims nothing of a backup that joined an armed session") {
  int consistent = 0;
  for (int delay = 9000; delay <= 17000; delay += 250) {
    CAPTURE(delay);
    Armed story(static_cast<std::uint64_t>(delay));
    story.arm("b1", 1200ms, "20s");
    story.silence_sessions(60s);
    story.never_record();
    cluster::GuestFault late;
    late.operation = "unfreeze";
    late.kind = cluster::GuestFaultKind::kLate;
    late.delay = Millis(delay);
    late.caller = "sweeper-0";
    story.cluster.guests().add_fault("vms", "vm1", late);
    story.cut_after(Millis(delay + 1000));
    story.backup("b2", "20s");
    REQUIRE(story.wait(5000ms, [&] { return story.calls("sweeper-0", "unfreeze") == 1; }));
    story.kill("sweeper-0");
    REQUIRE(story.wait_for_verdict("b1", 100s));
    REQUIRE(story.wait_for_verdict("b2", 100s));
    CHECK(story.consistency("b2") == "crash");
    if (story.consistency("b1") == "filesystem") ++consistent;
    CHECK(story.wait_for_no_session());
    story.check_truth();
  }
  // The call waited for its disks, whoever says so.
  CHECK(consistent > 0);
}

TEST_CASE("a leader that is stopped at any call of an armed session, joined or not, says nothing false afterwards") {
  for (const bool joined : {false, true}) {
    for (int call = 1; call <= 14; ++call) {
      for (const auto where : {Gate::Where::kBeforeCall, Gate::Where::kAfterCall}) {
        const Millis lasts = call % 2 == 0 ? 60000ms : 4000ms;
        CAPTURE(joined, call, where == Gate::Where::kBeforeCall, lasts.count());
        Armed story(static_cast<std::uint64_t>(call));
        story.arm();
        if (joined) {
          story.silence_sessions(2000ms);
          story.cut_after(1500ms);
          story.backup("b2");
        }
        story.installation.process("sweeper-0").gate.close_at(where, call, lasts);
        REQUIRE(story.wait_for_verdict("b1", 200s));
        if (joined) REQUIRE(story.wait_for_verdict("b2", 200s));
        CHECK(story.wait_for_no_session());
        story.check_truth();
      }
    }
  }
}

TEST_CASE("an armed call that reaches another session, begun since an admin deleted its own, is a doubt there") {
  for (const std::uint64_t seed : {1, 2, 3, 4, 5}) {
    CAPTURE(seed);
    Armed story(seed);
    story.arm();
    story.silence_sessions(4000ms);
    story.cluster.call("admin", "DELETE", kLease);
    story.backup("b2");
    REQUIRE(story.wait(2000ms, [&] { return story.calls("sweeper-0", "unfreeze") > 0; }));
    REQUIRE(story.wait_for_verdict("b2", 200s));
    CHECK(story.consistency("b1") != "filesystem");
    CHECK(story.reason("b2") == "thaw-unsettled");
    CHECK(story.wait_for_no_session());
    story.unrecorded().clear();  // its record was deleted
    story.check_truth();
  }
}

TEST_CASE("arms are of no use after some seconds: whatever became of the session meanwhile is seen by the write") {
  Armed story;
  story.arm("b1", 8000ms);
  story.silence_sessions(20s);
  story.cluster.call("admin", "DELETE", kLease);
  story.cut_after(12s);
  story.backup("b2");
  REQUIRE(story.wait_for_verdict("b2", 200s));
  // No call reached the guest while the second session held it.
  CHECK(story.truth("b2", 2).filesystem);
  CHECK(story.wait_for_no_session());
  story.check_truth();
}

TEST_CASE("an armed session that an admin thaws by hand is thawed by hand") {
  Armed story;
  story.arm();
  story.cluster.call("admin", "PATCH", kLease,
                     {{"metadata",
                       {{"annotations",
                         {{"snapfreeze.harvesterhci.io/phase", "Thawing"},
                          {"snapfreeze.harvesterhci.io/unsettled", "true"},
                          {"snapfreeze.harvesterhci.io/intent", R"({"call":"unfreeze","by":"admin"})"},
                          {"snapfreeze.harvesterhci.io/doubts", R"(["thawed-by-hand"])"}}}}}},
                     "application/merge-patch+json");
  REQUIRE(story.wait_for_verdict("b1"));
  CHECK(story.reason("b1") == "thawed-by-hand");
  CHECK(story.wait_for_no_session());
  story.check_truth();
}
