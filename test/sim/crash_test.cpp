// A sweeper killed at any of its calls, before or after it was carried out; another one goes on from the Leases alone.
#include "test/support/catch.h"
#include "test/sim/story.h"

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;

namespace {

struct Case {
  const char* name;
  std::function<void(Sim&)> disturb;  // before the backup
};

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases{
      {"clean", [](Sim&) {}},
      {"cut too late",
       [](Sim& sim) {
         cluster::DiskOptions never;
         never.never = true;
         sim.cluster.storage().set_disk("vms", "vm1-disk-1", never);
       }},
      {"thaw fails once",
       [](Sim& sim) {
         cluster::GuestFault fault;
         fault.operation = "unfreeze";
         fault.caller = "sweeper-0";
         sim.cluster.guests().add_fault("vms", "vm1", fault);
       }},
      {"thaw is late",
       [](Sim& sim) {
         cluster::GuestFault fault;
         fault.operation = "unfreeze";
         fault.kind = cluster::GuestFaultKind::kLate;
         fault.delay = 15000ms;
         fault.caller = "sweeper-0";
         sim.cluster.guests().add_fault("vms", "vm1", fault);
       }},
      {"freeze fails half-way",
       [](Sim& sim) {
         cluster::GuestFault fault;
         fault.kind = cluster::GuestFaultKind::kHalfway;
         fault.caller = "webhook-0";
         sim.cluster.guests().add_fault("vms", "vm1", fault);
       }},
  };
  return kCases;
}

struct Run {
  explicit Run(const Case& its_case, std::uint64_t seed = 1) : sim(seed, vm()) {
    sim.lead("sweeper-0");
    sim.start_sweeper("sweeper-1");
    sim.sleep(1s);
    its_case.disturb(sim);
    sim.cluster.locked([&] { sim.cluster.faults().clear_ledger(); });
  }

  static cluster::VmOptions vm() {
    cluster::VmOptions options;
    options.disks = 2;
    return options;
  }

  void finish() {
    sim.backup("b1", "8s");
    REQUIRE(sim.wait_for_verdict("b1", 300s));
    REQUIRE(sim.wait_for_no_session(300s));
    sim.sleep(5s);
  }

  int calls() {
    return sim.cluster.locked([&] { return sim.cluster.faults().calls("sweeper-0"); });
  }

  Sim sim;
};

std::pair<std::string, int> clean_run(const Case& its_case) {
  Run run(its_case);
  run.finish();
  return {run.sim.consistency("b1"), run.calls()};
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
        run.sim.cluster.locked([&] {
          run.sim.cluster.faults().set_killer([&](const std::string& caller) { run.sim.sweepers.at(caller)->kill(); });
        });
        cluster::Fault fault;
        fault.kind = kind;
        fault.caller = "sweeper-0";
        fault.nth = nth;
        run.sim.cluster.add_fault(fault);
        run.finish();
        CHECK_FALSE(run.sim.frozen());
        CHECK(run.sim.longest_frozen() <= 30s);
        CHECK(run.sim.unrecorded.empty());
        const bool really = run.sim.truth("b1", 2).filesystem;
        if (run.sim.consistency("b1") == "filesystem") CHECK(really);
        // A clean backup stays consistent: what was captured before the thaw is on record.
        if (verdict == "crash") CHECK(run.sim.consistency("b1") == "crash");
      }
    }
  }
}
