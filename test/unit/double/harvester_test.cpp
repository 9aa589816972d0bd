// The backup controller, as the captured traces show it.
#include "test/support/catch.h"
#include "test/unit/double/test_world.h"

using namespace cluster;
using namespace std::chrono_literals;

namespace {

VmOptions three_disks() {
  VmOptions vm;
  vm.disks = 3;
  return vm;
}

}  // namespace

TEST_CASE("it names its snapshots in status.volumeBackups before it creates the first") {
  World world(three_disks());
  bool early = false;
  world.cluster.locked([&] {
    world.cluster.store().observe("snapshot.storage.k8s.io", "volumesnapshots", [&](const WatchEvent&) {
      const auto& type = world.cluster.store().resources().at("harvesterhci.io", "virtualmachinebackups");
      const Json backup = world.cluster.store().get(type, "vms", "b1")->json;
      early = early || backup["status"]["volumeBackups"].size() != 3;
    });
  });
  world.cluster.start_backup("vms", "b1", "vm1");
  world.runtime.sleep_for(1s);
  CHECK(world.count("create") == 3);
  CHECK_FALSE(early);
  CHECK(world.backup("b1")["status"]["volumeBackups"][0]["name"] == "b1-volume-vm1-disk-0");
}

TEST_CASE("before each create it freezes: absent is 1 s, and it never thaws") {
  World world(three_disks());
  world.cluster.start_backup("vms", "b1", "vm1");
  world.runtime.sleep_for(5s);
  CHECK(world.count("call", R"(freeze {"unfreezeTimeout":"1s"})") == 3);
  CHECK(world.count("call", "unfreeze by") == 0);
  CHECK(world.longest_frozen() == 1015ms);
  CHECK(world.freezes() == 1);
}

TEST_CASE("the deadline of the backup is passed on, 0 s too") {
  World world;
  world.cluster.start_backup("vms", "b1", "vm1", "10s");
  world.runtime.sleep_for(20s);
  CHECK(world.longest_frozen() == 10015ms);
  world.cluster.start_backup("vms", "b2", "vm1", "0s");
  world.runtime.sleep_for(1h);
  CHECK(world.frozen());
}

TEST_CASE("without agent it creates without freezing, and says so in its annotation") {
  VmOptions silent = three_disks();
  silent.agent = false;
  World world(silent);
  world.cluster.start_backup("vms", "b1", "vm1");
  world.runtime.sleep_for(5s);
  CHECK(world.count("call") == 0);
  CHECK(world.count("create") == 3);
  CHECK(world.backup("b1")["metadata"]["annotations"]["harvesterhci.io/snapshotFreezeFS"] == "false");
}

TEST_CASE("with agent its annotation is true, and it labels nothing") {
  World world;
  world.cluster.start_backup("vms", "b1", "vm1");
  world.runtime.sleep_for(5s);
  CHECK(world.backup("b1")["metadata"]["annotations"]["harvesterhci.io/snapshotFreezeFS"] == "true");
  const Json snapshot = world.snapshot("b1-volume-vm1-disk-0");
  CHECK_FALSE(snapshot["metadata"].contains("labels"));
  CHECK(snapshot["metadata"]["ownerReferences"][0]["uid"] == world.backup("b1")["metadata"]["uid"]);
  CHECK(snapshot["metadata"]["ownerReferences"][0]["controller"] == true);
}

TEST_CASE("a freeze that answers 500 is tried six times within half a second, then the backup is in error") {
  World world;
  GuestFault always;
  always.count = -1;
  world.cluster.guests().set_latency("vms", "vm1", Millis(0), Millis(0));
  world.cluster.guests().add_fault("vms", "vm1", always);
  world.cluster.start_backup("vms", "b1", "vm1");
  world.runtime.sleep_for(500ms);
  CHECK(world.count("call", "freeze") == 6);
  CHECK(world.count("create") == 0);
  CHECK(world.backup("b1")["status"].contains("error"));
  world.runtime.sleep_for(1h);
  CHECK(world.count("call", "freeze") == 6);
}

namespace {

// "b1" of a VM with two disks is in error: none of its freezes succeeded.
struct Errored : World {
  explicit Errored(int failures = 6) : World(two_disks()) {
    GuestFault fault;
    fault.count = failures;
    fault.caller = kHarvesterUser;
    cluster.guests().add_fault("vms", "vm1", fault);
    cluster.start_backup("vms", "b1", "vm1");
    runtime.sleep_for(2s);
    REQUIRE(backup("b1")["status"].contains("error"));
  }
  static VmOptions two_disks() {
    VmOptions vm;
    vm.disks = 2;
    return vm;
  }
  Json error() { return backup("b1")["status"].value("error", Json()); }
};

}  // namespace

TEST_CASE("a backup in error is tried again at each start of the controller, in a burst, whatever its age") {
  Errored world(-1);
  const Json first = world.error();
  world.runtime.sleep_for(std::chrono::hours(24 * 30));
  world.cluster.harvester().restart();
  world.runtime.sleep_for(800ms);
  CHECK(world.count("call", "freeze") == 11);
  CHECK(world.count("create") == 0);
  CHECK(world.error()["time"] > first["time"]);
}

TEST_CASE("a try of a backup in error makes what is missing, each after a freeze of its own") {
  Errored world;
  world.runtime.sleep_for(10min);
  world.cluster.harvester().reconcile_again("vms", "b1");
  world.runtime.sleep_for(5s);
  CHECK(world.count("call", "freeze") == 8);
  CHECK(world.count("create") == 2);
  CHECK(world.backup("b1")["status"]["readyToUse"] == true);
  CHECK(world.error().is_null());
}

TEST_CASE(
    "a backup whose snapshots all exist is not frozen for again, in error or not, however long its upload takes") {
  World world;
  DiskOptions slow;
  slow.ready = Millis(3'600'000);
  slow.interim_errors = 2;
  world.cluster.storage().set_default(slow);
  world.cluster.start_backup("vms", "b1", "vm1");
  world.runtime.sleep_for(10s);
  world.cluster.harvester().restart();
  world.cluster.harvester().reconcile_again("vms", "b1", 5, Millis(160));
  world.runtime.sleep_for(10min);
  CHECK(world.count("call", "freeze") == 1);
  CHECK(world.backup("b1")["status"]["readyToUse"] == false);
}

TEST_CASE("1.9 stops at the first disk that fails, 1.8 goes on to the next") {
  World world(three_disks());
  const bool stops = GENERATE(true, false);
  HarvesterOptions options;
  options.stops_at_failure = stops;
  options.in_order = true;
  options.freeze_tries = 1;
  world.cluster.harvester().set_options(options);
  GuestFault once;
  once.caller = kHarvesterUser;
  world.cluster.guests().add_fault("vms", "vm1", once);
  world.cluster.start_backup("vms", "b1", "vm1");
  world.runtime.sleep_for(5s);
  CHECK(world.count("create") == (stops ? 0 : 2));
  CHECK(world.error_of("b1") == true);
}

TEST_CASE("its validating webhook refuses a snapshot that the mutating ones have admitted, and its freeze was made") {
  World world(three_disks());
  world.cluster.admission().reject_after_admission("vms", "b1-volume-vm1-disk-1", 2);
  world.cluster.start_backup("vms", "b1", "vm1");
  world.runtime.sleep_for(100ms);
  CHECK(world.count("call", "freeze") > 0);
  world.runtime.sleep_for(10s);
  CHECK(world.count("call", "freeze") == 5);
  CHECK(world.count("create") == 3);
}

TEST_CASE("a backup has no status subresource: the whole object is put, also in a retry") {
  World world;
  world.cluster.start_backup("vms", "b1", "vm1");
  world.runtime.sleep_for(5s);
  const std::string path = "/apis/harvesterhci.io/v1beta1/namespaces/vms/virtualmachinebackups/b1";
  CHECK(world.cluster.call("admin", "PUT", path + "/status", world.backup("b1")).status == 404);
  Json changed = world.backup("b1");
  changed["status"]["readyToUse"] = false;
  CHECK(world.cluster.call("admin", "PUT", path, changed).json()["status"]["readyToUse"] == false);
}

TEST_CASE("creates follow each other by 30 to 70 ms beside the freeze calls, in random order") {
  std::set<std::string> orders;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    World world(three_disks(), seed);
    world.cluster.start_backup("vms", "b1", "vm1");
    world.runtime.sleep_for(2s);
    std::string order;
    double before = -1;
    const Lock lock = world.runtime.lock();
    for (const TimelineEntry& entry : world.cluster.truth().timeline()) {
      if (entry.kind != "create") continue;
      order += entry.object.back();
      const double at = world.cluster.truth().since_start(entry.at);
      if (before >= 0) CHECK(at - before >= 30);
      if (before >= 0) CHECK(at - before <= 130);
      before = at;
    }
    orders.insert(order);
  }
  CHECK(orders.size() > 2);
}

TEST_CASE("the backup is ready when all its snapshots are") {
  World world(three_disks());
  DiskOptions slow;
  slow.ready = Millis(60'000);
  world.cluster.storage().set_disk("vms", "vm1-disk-1", slow);
  world.cluster.start_backup("vms", "b1", "vm1");
  world.runtime.sleep_for(30s);
  CHECK(world.backup("b1")["status"]["readyToUse"] == false);
  world.runtime.sleep_for(60s);
  CHECK(world.backup("b1")["status"]["readyToUse"] == true);
}

TEST_CASE("with a stale cache a disk is frozen for and created twice, the second time AlreadyExists") {
  World world;
  HarvesterOptions stale;
  stale.create_twice = 1;
  world.cluster.harvester().set_options(stale);
  world.cluster.start_backup("vms", "b1", "vm1");
  world.runtime.sleep_for(5s);
  CHECK(world.count("call", "freeze") == 2);
  CHECK(world.count("create") == 1);
  world.cluster.locked([&] { CHECK(world.cluster.faults().ledger().at(kHarvesterUser).at("create") == 2); });
  CHECK(world.backup("b1")["status"]["readyToUse"] == true);
}

TEST_CASE("disks of a later reconcile come later") {
  World world(three_disks());
  HarvesterOptions split;
  split.disks_first = 1;
  split.later = Millis(4000);
  world.cluster.harvester().set_options(split);
  world.cluster.start_backup("vms", "b1", "vm1");
  world.runtime.sleep_for(3s);
  CHECK(world.count("create") == 1);
  world.runtime.sleep_for(3s);
  CHECK(world.count("create") == 3);
}

TEST_CASE("a snapshot deleted midway is made again at the next reconcile") {
  World world(three_disks());
  DiskOptions slow;
  slow.cut = Millis(10'000);
  world.cluster.storage().set_disk("vms", "vm1-disk-1", slow);  // or the backup would be ready
  world.cluster.start_backup("vms", "b1", "vm1");
  world.runtime.sleep_for(3s);
  world.cluster.call("admin", "DELETE",
                     "/apis/snapshot.storage.k8s.io/v1/namespaces/vms/volumesnapshots/b1-volume-vm1-disk-0");
  world.runtime.sleep_for(1s);
  CHECK(world.snapshot("b1-volume-vm1-disk-0").is_null());
  world.cluster.harvester().reconcile_again("vms", "b1");
  world.runtime.sleep_for(1s);
  CHECK_FALSE(world.snapshot("b1-volume-vm1-disk-0").is_null());
}

TEST_CASE("a VM whose fields were edited away stops nothing but its own backups") {
  World world;
  VmOptions other;
  other.name = "vm2";
  world.cluster.add_vm(other);
  const std::string spec =
      GENERATE(as<std::string>(), R"({"template":null})", R"({"template":{"spec":{"volumes":[{}]}}})",
               R"({"template":{"spec":{"volumes":[{"name":"a","persistentVolumeClaim":{}}]}}})");
  CAPTURE(spec);
  const Reply reply = world.cluster.call("admin", "PATCH", "/apis/kubevirt.io/v1/namespaces/vms/virtualmachines/vm1",
                                         {{"spec", Json::parse(spec)}}, "application/merge-patch+json");
  REQUIRE(reply.status == 200);
  world.cluster.start_backup("vms", "b1", "vm1");
  world.cluster.start_backup("vms", "b2", "vm2");
  world.runtime.sleep_for(10s);
  CHECK(world.backup("b2")["status"]["readyToUse"] == true);
}

TEST_CASE("deleting the backup deletes its snapshots and their contents") {
  World world(three_disks());
  world.cluster.start_backup("vms", "b1", "vm1");
  world.runtime.sleep_for(5s);
  world.cluster.call("admin", "DELETE", "/apis/harvesterhci.io/v1beta1/namespaces/vms/virtualmachinebackups/b1");
  world.runtime.sleep_for(1s);
  CHECK(world.snapshot("b1-volume-vm1-disk-0").is_null());
  world.cluster.locked([&] {
    const auto& type = world.cluster.store().resources().at("snapshot.storage.k8s.io", "volumesnapshotcontents");
    CHECK(world.cluster.store().all(type).empty());
  });
}

TEST_CASE("Harvester's own freeze is too short for slow storage, and consistent by luck with fast") {
  World world(three_disks());
  world.cluster.start_backup("vms", "fast", "vm1");
  world.runtime.sleep_for(10s);
  CHECK(world.consistency("fast", 3).filesystem);
  DiskOptions slow;
  slow.cut = Millis(3000);
  world.cluster.storage().set_default(slow);
  world.cluster.start_backup("vms", "slow", "vm1");
  world.runtime.sleep_for(10s);
  CHECK(world.consistency("slow", 3).cuts == 3);
  CHECK_FALSE(world.consistency("slow", 3).filesystem);
}
