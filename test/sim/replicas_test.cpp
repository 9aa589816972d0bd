// Replicas of the webhook in the embedded cluster, without a sweeper: what they leave behind when they race or die.
#include "kube/observing_api.h"
#include "test/double/face/in_process_api.h"
#include "test/double/face/in_process_webhook.h"
#include "test/double/runtime/runtime_sim.h"
#include "test/double/runtime/sim_clock.h"
#include "test/support/catch.h"
#include "test/unit/webhook/world.h"
#include "webhook/handler.h"

namespace snapfreeze::webhook {
namespace {

using namespace std::chrono_literals;

constexpr char kVm[] = "vms/vm1";
constexpr char kEpoch[] = "snapfreeze.harvesterhci.io/epoch";

struct Replica {
  Replica(cluster::Cluster& cluster, const std::string& name)
      : process(cluster.runtime(), name),
        clock(cluster.runtime()),
        wire(cluster, name),
        admission({api, clock, server_time, sessions, metrics}, sweeper, settings(name)),
        handler(admission, clock, metrics) {
    sweeper.observe(test::leader_lease(), clock.monotonic());
  }

  static Settings settings(const std::string& name) {
    Settings result;
    result.replica = name;
    return result;
  }

  cluster::WebhookReply answer(const std::string& body) {
    const auto response = handler({"POST", "/mutate", "timeout=10s", body, "", clock.monotonic()});
    return {response.status, response.body, std::nullopt, ""};
  }

  cluster::Process process;
  cluster::SimClock clock;
  cluster::InProcessApi wire;
  kube::ServerTime server_time;
  kube::ObservingApi api{wire, server_time, [](std::string_view, int) {}};
  freeze::SessionStore sessions{api, test::kOwnNamespace};
  Metrics metrics;
  Liveness sweeper;
  Admission admission;
  MutateHandler handler;
};

struct Replicas {
  explicit Replicas(std::uint64_t seed) : runtime(seed) {
    cluster::VmOptions vm;
    vm.disks = 3;
    double_.add_vm(vm);
    double_.add_namespace(test::kOwnNamespace);
    std::vector<std::shared_ptr<cluster::AdmissionTransport>> transports;
    for (const char* name : {"replica-1", "replica-2"}) {
      Replica& replica = *replicas.emplace_back(std::make_unique<Replica>(double_, name));
      transports.push_back(std::make_shared<cluster::InProcessWebhook>(
          replica.process, [&replica](const std::string&, const std::string& body) { return replica.answer(body); }));
    }
    double_.admission().register_webhook({}, std::move(transports));
  }

  ~Replicas() {
    for (const auto& replica : replicas) replica->process.kill();
    runtime.sleep_for(1s);
  }

  int calls(const std::string& verb) {
    return double_.locked([&] {
      int count = 0;
      for (const auto& replica : replicas) {
        const auto& ledger = double_.faults().ledger();
        const auto found = ledger.find(replica->process.name());
        if (found != ledger.end() && found->second.contains(verb)) count += found->second.at(verb);
      }
      return count;
    });
  }
  int calls() {
    return double_.locked([&] { return double_.faults().calls("replica-1") + double_.faults().calls("replica-2"); });
  }

  std::set<std::string> epochs(const std::vector<std::string>& names) {
    std::set<std::string> found;
    for (const std::string& name : names) {
      const auto snapshot = double_.get("snapshot.storage.k8s.io/volumesnapshots", "vms", name);
      const auto labels =
          snapshot.is_null() ? cluster::Json() : snapshot["metadata"].value("labels", cluster::Json::object());
      found.insert(labels.is_null() ? "missing" : labels.value(kEpoch, "none"));
    }
    return found;
  }
  std::set<std::string> backup_epochs() {
    std::vector<std::string> names;
    const auto backup = double_.get("harvesterhci.io/virtualmachinebackups", "vms", "b1");
    for (const auto& volume : backup["status"]["volumeBackups"]) names.push_back(volume["name"]);
    REQUIRE(names.size() == 3);
    return epochs(names);
  }

  std::string lease_uid() {
    const auto lease = double_.get("coordination.k8s.io/leases", test::kOwnNamespace, "vms.vm1");
    return lease.is_null() ? "" : lease["metadata"]["uid"].get<std::string>();
  }

  bool frozen() {
    return double_.locked([&] { return double_.truth().frozen_now(kVm); });
  }
  bool frozen_by_us() {
    return double_.locked([&] {
      for (const auto& interval : double_.truth().intervals(kVm)) {
        if (interval.frozen_by.starts_with("replica-")) return true;
      }
      return false;
    });
  }

  cluster::SimRuntime runtime;
  cluster::Cluster double_{runtime};
  std::vector<std::unique_ptr<Replica>> replicas;
};

TEST_CASE("a backup of three disks by Harvester freezes once, in sixteen calls, whichever replica is asked") {
  const auto deadline = GENERATE(as<std::string>{}, "", "10s", "0s");
  const auto seed = GENERATE(range(1, 11));
  Replicas world(static_cast<std::uint64_t>(seed));
  CAPTURE(deadline, seed);
  world.double_.start_backup("vms", "b1", "vm1", deadline);
  world.runtime.sleep_for(2s);
  CHECK(world.backup_epochs() == std::set<std::string>{world.lease_uid()});
  CHECK(world.calls("freeze") == 1);
  CHECK(world.calls("unfreeze") == 1);
  CHECK(world.calls() == 12 + 2 * 2);
  CHECK(world.frozen());
  const auto truth = world.double_.locked([&] { return world.double_.truth().consistency("vms", "b1", 3); });
  CHECK(truth.filesystem);
}

TEST_CASE("disks of one backup that are created in the same instant share one freeze") {
  const auto seed = GENERATE(range(1, 101));
  Replicas world(static_cast<std::uint64_t>(seed));
  CAPTURE(seed);
  std::vector<cluster::FiberRef> creators;
  for (int i = 0; i < 3; ++i) {
    creators.push_back(world.runtime.spawn("creator", [&world, i] {
      const std::string name = "s" + std::to_string(i);
      world.double_.create_snapshot("alice", "vms", name, "vm1-disk-" + std::to_string(i),
                                    {{"snapfreeze.harvesterhci.io/backup", "nightly"}});
    }));
  }
  for (const auto& creator : creators) world.runtime.join(creator);
  CHECK(world.epochs({"s0", "s1", "s2"}) == std::set<std::string>{world.lease_uid()});
  CHECK(world.calls("freeze") == 1);
  CHECK(world.frozen());
}

TEST_CASE("the same object admitted again joins what its first admission began") {
  Replicas world(1);
  world.double_.admission().set_rounds(2);
  world.double_.start_backup("vms", "b1", "vm1");
  world.runtime.sleep_for(2s);
  CHECK(world.backup_epochs() == std::set<std::string>{world.lease_uid()});
  CHECK(world.calls("freeze") == 1);
}

TEST_CASE("replicas killed after any call block no backup and freeze nothing that is not on record") {
  const int nth = GENERATE(range(1, 17));
  const auto kind = GENERATE(cluster::FaultKind::kKillBefore, cluster::FaultKind::kKillAfter);
  CAPTURE(nth, static_cast<int>(kind));
  Replicas world(static_cast<std::uint64_t>(nth));
  world.double_.locked([&] {
    world.double_.faults().set_killer([&](const std::string& caller) {
      for (const auto& replica : world.replicas) {
        if (replica->process.name() == caller) replica->process.kill();
      }
    });
  });
  for (const char* caller : {"replica-1", "replica-2"}) {
    cluster::Fault fault;
    fault.kind = kind;
    fault.caller = caller;
    fault.nth = nth;
    world.double_.add_fault(fault);
  }
  world.double_.start_backup("vms", "b1", "vm1");
  world.runtime.sleep_for(5s);
  CHECK(world.backup_epochs().count("missing") == 0);
  if (world.frozen_by_us()) CHECK_FALSE(world.lease_uid().empty());
  world.runtime.sleep_for(60s);
  CHECK_FALSE(world.frozen());
}

TEST_CASE("a freeze that the launcher carries out after its caller gave up is on record as unsettled") {
  Replicas world(1);
  cluster::GuestFault late;
  late.kind = cluster::GuestFaultKind::kLate;
  late.caller = "replica-1";
  late.delay = Millis(20'000);
  world.double_.guests().add_fault("vms", "vm1", late);
  late.caller = "replica-2";
  world.double_.guests().add_fault("vms", "vm1", late);
  world.double_.create_snapshot("alice", "vms", "s0", "vm1-disk-0", {{"snapfreeze.harvesterhci.io/backup", "nightly"}});
  CHECK(world.epochs({"s0"}) == std::set<std::string>{"none"});
  const auto lease = world.double_.get("coordination.k8s.io/leases", test::kOwnNamespace, "vms.vm1");
  REQUIRE_FALSE(lease.is_null());
  CHECK(lease["metadata"]["annotations"]["snapfreeze.harvesterhci.io/phase"] == "Thawing");
  CHECK(lease["metadata"]["annotations"]["snapfreeze.harvesterhci.io/unsettled"] == "true");
}

}  // namespace
}  // namespace snapfreeze::webhook
