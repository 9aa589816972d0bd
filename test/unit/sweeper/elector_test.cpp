#include "sweeper/elector.h"

#include <random>

#include "base/log.h"
#include "freeze/names.h"
#include "sweeper/leader_api.h"
#include "test/double/runtime/runtime_sim.h"
#include "test/sim/process.h"
#include "test/support/catch.h"

using namespace snapfreeze;
using namespace std::chrono_literals;
using sim::kOwnNamespace;
using sweeper::Elector;

namespace {

struct Candidate {
  Candidate(cluster::Cluster& cluster, const std::string& name, sim::Record& record)
      : machine(cluster, name, record), elector(machine.api, machine.clock, kOwnNamespace, name) {}

  sim::Process machine;
  Elector elector;
};

struct Election {
  explicit Election(std::uint64_t seed = 1) : runtime(seed), cluster(runtime) {
    log::configure(log::Format::kText, log::Level::kError);
    cluster.add_namespace(kOwnNamespace);
    a = std::make_unique<Candidate>(cluster, "a", record);
    b = std::make_unique<Candidate>(cluster, "b", record);
  }

  // Lets both step every 2 s for so long.
  void run(std::chrono::seconds duration, bool step_a = true, bool step_b = true) {
    for (const Mono end = runtime.now() + duration; runtime.now() < end; runtime.sleep_for(Elector::kRetryPeriod)) {
      if (step_a) a->elector.step();
      if (step_b) b->elector.step();
    }
  }
  cluster::Json lease() { return cluster.get("coordination.k8s.io/leases", kOwnNamespace, freeze::kLeaderLease); }
  bool a_leads() { return a->elector.leads_for(0ms); }
  bool b_leads() { return b->elector.leads_for(0ms); }

  cluster::SimRuntime runtime;
  cluster::Cluster cluster;
  sim::Record record{cluster};
  std::unique_ptr<Candidate> a, b;
};

}  // namespace

TEST_CASE("the first who comes leads, and goes on to lead") {
  Election election;
  election.run(60s);
  CHECK(election.a_leads());
  CHECK_FALSE(election.b_leads());
  CHECK(election.lease()["spec"]["holderIdentity"] == "a");
  CHECK(election.lease()["spec"]["leaseDurationSeconds"] == 15);
  CHECK(election.lease()["spec"]["leaseTransitions"] == 0);
}

TEST_CASE("a leader puts right how long its Lease lasts") {
  Election election;
  election.run(10s);
  const cluster::Json duration = GENERATE(cluster::Json(), cluster::Json(3600));
  election.cluster.call(
      "admin", "PATCH",
      std::string("/apis/coordination.k8s.io/v1/namespaces/") + kOwnNamespace + "/leases/" + freeze::kLeaderLease,
      {{"spec", {{"leaseDurationSeconds", duration}}}}, "application/merge-patch+json");
  election.run(10s);
  CHECK(election.a_leads());
  CHECK(election.lease()["spec"]["leaseDurationSeconds"] == 15);
}

TEST_CASE("a leader that has just renewed may make a call of 10 s, but none of 15") {
  Election election;
  election.a->elector.step();
  CHECK(election.a->elector.leads_for(10s));
  CHECK_FALSE(election.a->elector.leads_for(15s));
  election.runtime.sleep_for(6s);
  CHECK_FALSE(election.a->elector.leads_for(10s));
  CHECK(election.a_leads());
  election.runtime.sleep_for(5s);
  CHECK_FALSE(election.a_leads());
}

TEST_CASE("another one takes over 15 s after the last change, not before") {
  Election election;
  election.run(10s);
  election.run(14s, false, true);
  CHECK_FALSE(election.b_leads());
  election.run(4s, false, true);
  CHECK(election.b_leads());
  CHECK(election.lease()["spec"]["holderIdentity"] == "b");
  CHECK(election.lease()["spec"]["leaseTransitions"] == 1);
}

TEST_CASE("a leader that cannot renew steps down after 10 s, before anybody takes over") {
  Election election;
  election.run(10s);
  election.cluster.add_fault(cluster::refusal("a", "", "", 500));
  election.run(6s, true, false);
  CHECK(election.a_leads());
  election.run(4s, true, false);
  CHECK_FALSE(election.a_leads());
}

TEST_CASE("a leader that was replaced notices at its next step") {
  Election election;
  election.run(10s);
  election.run(20s, false, true);
  REQUIRE(election.b_leads());
  election.a->elector.step();
  CHECK_FALSE(election.a_leads());
  election.run(30s);
  CHECK_FALSE(election.a_leads());
  CHECK(election.b_leads());
}

TEST_CASE("a leader whose Lease names another one leads no more, however fresh its own renewal") {
  Election election;
  election.run(4s);
  REQUIRE(election.a_leads());
  election.cluster.call(
      "admin", "PATCH",
      std::string("/apis/coordination.k8s.io/v1/namespaces/snapfreeze/leases/") + freeze::kLeaderLease,
      {{"spec", {{"holderIdentity", "b"}}}}, "application/merge-patch+json");
  election.a->elector.step();
  CHECK_FALSE(election.a_leads());
}

TEST_CASE("a renewal whose reply is lost costs no leadership") {
  Election election;
  election.run(4s);
  cluster::Fault lost;
  lost.kind = cluster::FaultKind::kDropAfter;
  lost.caller = "a";
  lost.verb = "patch";
  election.cluster.add_fault(lost);
  election.run(20s);
  CHECK(election.a_leads());
  CHECK(election.lease()["spec"]["leaseTransitions"] == 0);
}

TEST_CASE("a Lease that is deleted is made again, by one") {
  Election election;
  election.run(4s);
  election.cluster.call(
      "admin", "DELETE",
      std::string("/apis/coordination.k8s.io/v1/namespaces/snapfreeze/leases/") + freeze::kLeaderLease);
  election.run(20s);
  CHECK(election.a_leads() != election.b_leads());
}

TEST_CASE("who stops lets another one lead at once") {
  Election election;
  election.run(4s);
  election.a->elector.resign();
  CHECK_FALSE(election.a_leads());
  election.a->elector.release();
  election.b->elector.step();
  CHECK(election.b_leads());
}

TEST_CASE("two never lead at once, however they stall and whatever the API server does") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Election election(seed);
    std::mt19937_64 random(seed);
    const auto draw = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
    for (int i = 0; i < 30; ++i) {
      constexpr cluster::FaultKind kKinds[] = {cluster::FaultKind::kDropBefore, cluster::FaultKind::kDropAfter,
                                               cluster::FaultKind::kDelayBefore, cluster::FaultKind::kDelayAfter,
                                               cluster::FaultKind::kHang};
      cluster::Fault fault;
      fault.kind = kKinds[draw(0, 4)];
      fault.caller = draw(0, 1) == 0 ? "a" : "b";
      fault.nth = draw(1, 400);
      fault.count = draw(1, 5);
      fault.delay = Millis(draw(100, 25000));
      election.cluster.add_fault(fault);
    }
    cluster::Process process(election.runtime, "both");
    int changes = 0;
    bool both = false;
    for (Candidate* candidate : {election.a.get(), election.b.get()}) {
      process.spawn("elect", [&, candidate] {
        for (;;) {
          const bool led = candidate->elector.leads_for(0ms);
          candidate->elector.step();
          changes += led != candidate->elector.leads_for(0ms) ? 1 : 0;
          const bool stall = draw(0, 30) == 0;
          election.runtime.sleep_for(stall ? Millis(draw(3000, 40000)) : Millis(Elector::kRetryPeriod));
        }
      });
    }
    for (int i = 0; i < 36000; ++i) {
      election.runtime.sleep_for(50ms);
      both = both || (election.a_leads() && election.b_leads());
    }
    CHECK_FALSE(both);
    CHECK(changes > 4);
  }
}

TEST_CASE("leadership counts from when a renewal was sent, however late its reply comes") {
  Election election;
  election.a->elector.step();
  election.runtime.sleep_for(2s);
  cluster::Fault late;
  late.kind = cluster::FaultKind::kDelayAfter;
  late.caller = "a";
  late.verb = "patch";
  late.delay = 4s;
  election.cluster.add_fault(late);
  const Mono sent = election.runtime.now();
  election.a->elector.step();
  REQUIRE(election.runtime.now() >= sent + 4s);
  CHECK(election.a_leads());
  CHECK(election.a->elector.leads_until() <= sent + Elector::kLeaseDuration);
  election.runtime.sleep_for(sent + 10s - election.runtime.now());
  CHECK_FALSE(election.a_leads());
}

TEST_CASE("what a leader writes leaves only while nobody else can lead; what it reads, at any time") {
  Election election;
  struct Recorder : kube::KubeApi {
    Result<kube::Response> call(const kube::Request& request) override {
      last = request;
      return kube::Response{200, "{}", std::nullopt, Mono{}};
    }
    Result<void> stream(const kube::Request&, Millis, const kube::LineSink&) override { return {}; }
    kube::Request last;
  } recorder;
  sweeper::LeaderApi api(recorder, election.a->elector);
  const kube::Request read{kube::Method::kGet, "/x", "", "", 5s};
  kube::Request write{kube::Method::kPatch, "/x", "{}", "", 5s};
  (void)api.call(write);
  CHECK(recorder.last.send_by == Mono::min());
  (void)api.call(read);
  CHECK(recorder.last.send_by == Mono::max());
  election.a->elector.step();
  (void)api.call_all({&write, 1});
  CHECK(recorder.last.send_by == election.a->elector.leads_until() - 5s);
  write.send_by = Mono(7s);  // it knows better: a doubt is true whoever leads
  (void)api.call(write);
  CHECK(recorder.last.send_by == Mono(7s));
  election.a->elector.resign();
  write.send_by = Mono::max();
  (void)api.call(write);
  CHECK(recorder.last.send_by == Mono::min());
}
