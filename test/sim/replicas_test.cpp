// Replicas of the webhook in the embedded cluster, without a sweeper: what they leave behind when they race or die.
#include <set>

#include "freeze/names.h"
#include "test/sim/story.h"
#include "test/support/catch.h"

using namespace sim;
using namespace snapfreeze;
using namespace std::chrono_literals;

namespace {

constexpr char kVm[] = "vms/vm1";
constexpr char kEpoch[] = "snapfreeze.harvesterhci.io/epoch";
constexpr char kLeases[] = "/apis/coordination.k8s.io/v1/namespaces/snapfreeze/leases";

cluster::VmOptions three_disks() {
  cluster::VmOptions vm;
  vm.disks = 3;
  return vm;
}

// The Lease of a sweeper that leads is there, and nothing else of it.
struct Replicas : Story {
  explicit Replicas(std::uint64_t seed) : Story(seed, three_disks(), {{}, {}, {}, {"replica-1", "replica-2"}}) {
    cluster.call("sweeper", "POST", kLeases,
                 {{"apiVersion", "coordination.k8s.io/v1"},
                  {"kind", "Lease"},
                  {"metadata", {{"name", freeze::kLeaderLease}}},
                  {"spec",
                   {{"holderIdentity", "sweeper-1"},
                    {"leaseDurationSeconds", 15},
                    {"renewTime", "2026-01-01T00:00:00.000000Z"}}}});
    sleep(webhook::kLivenessInterval + 100ms);  // the replicas have seen it
  }

  // Beside the looks at that Lease.
  int count(const std::string& part = "") {
    return record().calls("replica-1", part, freeze::kLeaderLease) +
           record().calls("replica-2", part, freeze::kLeaderLease);
  }

  std::set<std::string> epochs(const std::vector<std::string>& names) {
    std::set<std::string> found;
    for (const std::string& name : names) {
      const auto snapshot = cluster.get("snapshot.storage.k8s.io/volumesnapshots", "vms", name);
      const auto labels =
          snapshot.is_null() ? cluster::Json() : snapshot["metadata"].value("labels", cluster::Json::object());
      found.insert(labels.is_null() ? "missing" : labels.value(kEpoch, "none"));
    }
    return found;
  }
  std::set<std::string> backup_epochs() {
    std::vector<std::string> names;
    const auto backup = cluster.get("harvesterhci.io/virtualmachinebackups", "vms", "b1");
    for (const auto& volume : backup["status"]["volumeBackups"]) names.push_back(volume["name"]);
    REQUIRE(names.size() == 3);
    return epochs(names);
  }

  std::string lease_uid() {
    const auto lease = cluster.get("coordination.k8s.io/leases", kOwnNamespace, "vms.vm1");
    return lease.is_null() ? "" : lease["metadata"]["uid"].get<std::string>();
  }

  bool frozen_by_us() {
    return cluster.locked([&] {
      for (const auto& interval : cluster.truth().intervals(kVm)) {
        if (interval.frozen_by.starts_with("replica-")) return true;
      }
      return false;
    });
  }

  Record& record() { return installation.record(); }
};

TEST_CASE("a backup of three disks by Harvester freezes once, in sixteen calls or fewer, whichever replica is asked") {
  const auto deadline = GENERATE(as<std::string>{}, "", "10s", "0s");
  const auto seed = GENERATE(range(1, 11));
  Replicas world(static_cast<std::uint64_t>(seed));
  CAPTURE(deadline, seed);
  world.cluster.start_backup("vms", "b1", "vm1", deadline);
  world.sleep(2s);
  CHECK(world.backup_epochs() == std::set<std::string>{world.lease_uid()});
  CHECK(world.count("/freeze") == 1);
  CHECK(world.count("/unfreeze") == 1);
  // A disk joins by one read at a replica that has just read the backup, and by two at the other.
  const int two_reads_each = 12 + 2 * 2;
  if (deadline == "0s") {
    CHECK(world.count() == two_reads_each);
  } else {
    CHECK(world.count() >= two_reads_each - 2);
    CHECK(world.count() < two_reads_each);
  }
  CHECK(world.frozen());
  CHECK(world.truth("b1", 3).filesystem);
}

TEST_CASE("disks of one backup that are created in the same instant share one freeze") {
  const auto seed = GENERATE(range(1, 101));
  Replicas world(static_cast<std::uint64_t>(seed));
  CAPTURE(seed);
  std::vector<cluster::FiberRef> creators;
  for (int i = 0; i < 3; ++i) {
    creators.push_back(world.runtime.spawn("creator", [&world, i] {
      const std::string name = "s" + std::to_string(i);
      world.cluster.create_snapshot("alice", "vms", name, "vm1-disk-" + std::to_string(i),
                                    {{"snapfreeze.harvesterhci.io/backup", "nightly"}});
    }));
  }
  for (const auto& creator : creators) world.runtime.join(creator);
  CHECK(world.epochs({"s0", "s1", "s2"}) == std::set<std::string>{world.lease_uid()});
  CHECK(world.count("/freeze") == 1);
  CHECK(world.frozen());
}

TEST_CASE("the same object admitted again joins what its first admission began") {
  Replicas world(1);
  world.cluster.admission().set_rounds(2);
  world.cluster.start_backup("vms", "b1", "vm1");
  world.sleep(2s);
  CHECK(world.backup_epochs() == std::set<std::string>{world.lease_uid()});
  CHECK(world.count("/freeze") == 1);
}

TEST_CASE("replicas killed after any call block no backup and freeze nothing that is not on record") {
  const int nth = GENERATE(range(1, 20));
  const auto kind = GENERATE(cluster::FaultKind::kKillBefore, cluster::FaultKind::kKillAfter);
  CAPTURE(nth, static_cast<int>(kind));
  Replicas world(static_cast<std::uint64_t>(nth));
  for (const char* caller : {"replica-1", "replica-2"}) {
    cluster::Fault fault;
    fault.kind = kind;
    fault.caller = caller;
    fault.nth = nth;
    world.cluster.add_fault(fault);
  }
  world.cluster.start_backup("vms", "b1", "vm1");
  world.sleep(5s);
  CHECK(world.backup_epochs().count("missing") == 0);
  if (world.frozen_by_us()) CHECK_FALSE(world.lease_uid().empty());
  world.sleep(60s);
  CHECK_FALSE(world.frozen());
}

TEST_CASE("a freeze that the launcher carries out after its caller gave up is on record as unsettled") {
  Replicas world(1);
  cluster::GuestFault late;
  late.kind = cluster::GuestFaultKind::kLate;
  late.caller = "replica-1";
  late.delay = Millis(20'000);
  world.cluster.guests().add_fault("vms", "vm1", late);
  late.caller = "replica-2";
  world.cluster.guests().add_fault("vms", "vm1", late);
  world.cluster.create_snapshot("alice", "vms", "s0", "vm1-disk-0", {{"snapfreeze.harvesterhci.io/backup", "nightly"}});
  CHECK(world.epochs({"s0"}) == std::set<std::string>{"none"});
  const auto lease = world.cluster.get("coordination.k8s.io/leases", kOwnNamespace, "vms.vm1");
  REQUIRE_FALSE(lease.is_null());
  CHECK(lease["metadata"]["annotations"]["snapfreeze.harvesterhci.io/phase"] == "Thawing");
  CHECK(lease["metadata"]["annotations"]["snapfreeze.harvesterhci.io/unsettled"] == "true");
}

}  // namespace
