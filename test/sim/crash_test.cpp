// A sweeper killed at any of its calls, before or after it was carried out; another one goes on from the Leases alone.
#include "test/sim/story.h"
#include "test/support/catch.h"

using namespace sim;
using namespace snapfreeze;
using namespace std::chrono_literals;

namespace {

struct Case {
  const char* name;
  std::function<void(Story&)> disturb;  // before the backup
};

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases{
      {"clean", [](Story&) {}},
      {"cut too late",
       [](Story& story) {
         cluster::DiskOptions never;
         never.never = true;
         story.cluster.storage().set_disk("vms", "vm1-disk-1", never);
       }},
      {"thaw fails once",
       [](Story& story) {
         cluster::GuestFault fault;
         fault.operation = "unfreeze";
         fault.caller = "sweeper-0";
         story.cluster.guests().add_fault("vms", "vm1", fault);
       }},
      {"thaw is late",
       [](Story& story) {
         cluster::GuestFault fault;
         fault.operation = "unfreeze";
         fault.kind = cluster::GuestFaultKind::kLate;
         fault.delay = 15000ms;
         fault.caller = "sweeper-0";
         story.cluster.guests().add_fault("vms", "vm1", fault);
       }},
      {"freeze fails half-way",
       [](Story& story) {
         cluster::GuestFault fault;
         fault.kind = cluster::GuestFaultKind::kHalfway;
         fault.caller = "webhook-0";
         story.cluster.guests().add_fault("vms", "vm1", fault);
       }},
  };
  return kCases;
}

struct Run {
  explicit Run(const Case& its_case, std::uint64_t seed = 1) : story(seed, vm()) {
    story.lead("sweeper-0");
    story.start_sweeper("sweeper-1");
    story.sleep(1s);
    its_case.disturb(story);
    story.cluster.locked([&] { story.cluster.faults().clear_ledger(); });
  }

  static cluster::VmOptions vm() {
    cluster::VmOptions options;
    options.disks = 2;
    return options;
  }

  void finish() {
    story.backup("b1", "8s");
    REQUIRE(story.wait_for_verdict("b1", 300s));
    REQUIRE(story.wait_for_no_session(300s));
    story.sleep(5s);
  }

  int calls() { return story.calls("sweeper-0"); }

  Story story;
};

std::pair<std::string, int> clean_run(const Case& its_case) {
  Run run(its_case);
  run.finish();
  return {run.story.consistency("b1"), run.calls()};
}

}  // namespace

TEST_CASE("a sweeper killed at any call leaves nothing undone, and nothing false") {
  for (const Case& its_case : cases()) {
    const auto [verdict, calls] = clean_run(its_case);
    REQUIRE(calls > 5);
    for (int nth = 1; nth <= calls; ++nth) {
      for (const auto kind : {cluster::FaultKind::kKillBefore, cluster::FaultKind::kKillAfter}) {
        Run run(its_case);
        CAPTURE(its_case.name, nth, kind == cluster::FaultKind::kKillBefore);
        run.story.cluster.locked(
            [&] { run.story.cluster.faults().set_killer([&](const std::string& caller) { run.story.kill(caller); }); });
        cluster::Fault fault;
        fault.kind = kind;
        fault.caller = "sweeper-0";
        fault.nth = nth;
        run.story.cluster.add_fault(fault);
        run.finish();
        CHECK_FALSE(run.story.frozen());
        CHECK(run.story.longest_frozen() <= 30s);
        CHECK(run.story.unrecorded().empty());
        const bool really = run.story.truth("b1", 2).filesystem;
        if (run.story.consistency("b1") == "filesystem") CHECK(really);
        // A clean backup stays consistent: what was captured before the thaw is on record.
        if (verdict == "crash") CHECK(run.story.consistency("b1") == "crash");
      }
    }
  }
}
