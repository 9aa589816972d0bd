// What a runner asks at the end.
#include "test/support/catch.h"
#include "test/unit/double/test_world.h"

using namespace cluster;
using namespace std::chrono_literals;

namespace {

// Snapshots of one labelled backup, cut at once when told to.
struct Cutting : World {
  Cutting() {
    DiskOptions quick;
    quick.cut = Millis(0);
    cluster.storage().set_default(quick);
  }
  void cut(const std::string& name) {
    cluster.create_snapshot("tenant", "vms", name, "vm1-disk-0", {{"snapfreeze.harvesterhci.io/backup", "b"}});
    runtime.sleep_for(1ms);
  }
};

}  // namespace

TEST_CASE("a backup is consistent when one freeze holds over all its cuts") {
  Cutting world;
  world.freeze("30s");
  world.cut("s1");
  world.runtime.sleep_for(2s);
  world.cut("s2");
  world.runtime.sleep_for(1s);
  world.thaw();
  const Consistency found = world.consistency("b", 2);
  CHECK(found.filesystem);
  CHECK(found.cuts == 2);
  CHECK(found.cut_span == 2001ms);
  CHECK(found.last_cut_to_thaw == 1016ms);
}

TEST_CASE("a thaw between two cuts makes it inconsistent, frozen again or not") {
  Cutting world;
  world.freeze("30s");
  world.cut("s1");
  world.thaw();
  world.freeze("30s");
  world.cut("s2");
  world.thaw();
  CHECK_FALSE(world.consistency("b", 2).filesystem);
}

TEST_CASE("a cut after the thaw, or before the freeze, makes it inconsistent") {
  Cutting world;
  world.cut("s1");
  CHECK_FALSE(world.consistency("b", 1).filesystem);
  world.freeze("30s");
  world.cut("s2");
  world.thaw();
  CHECK_FALSE(world.consistency("b", 2).filesystem);
}

TEST_CASE("a disk that was not cut makes it inconsistent") {
  Cutting world;
  world.freeze("30s");
  world.cut("s1");
  world.thaw();
  CHECK(world.consistency("b", 1).filesystem);
  CHECK_FALSE(world.consistency("b", 2).filesystem);
}

TEST_CASE("half frozen is not frozen") {
  Cutting world;
  GuestFault halfway;
  halfway.kind = GuestFaultKind::kHalfway;
  world.cluster.guests().add_fault("vms", "vm1", halfway);
  world.freeze("30s");
  world.cut("s1");
  CHECK(world.frozen());
  CHECK_FALSE(world.consistency("b", 1).filesystem);
}

TEST_CASE("a backup of a VM that is off is offline, unless it is started midway") {
  Cutting world;
  world.cluster.guests().stop("vms", "vm1");
  world.runtime.sleep_for(1s);
  world.cut("s1");
  CHECK(world.consistency("b", 1).offline);
  world.cluster.guests().start("vms", "vm1");
  world.cut("s2");
  CHECK_FALSE(world.consistency("b", 2).offline);
}

TEST_CASE("frozen time is counted by VM, a running freeze up to now") {
  Cutting world;
  world.freeze("30s");
  world.runtime.sleep_for(2s);
  world.thaw();
  world.freeze("0s");
  world.runtime.sleep_for(5s);
  world.cluster.locked([&] {
    const Truth& truth = world.cluster.truth();
    CHECK(truth.longest_frozen("vms/vm1") == 5s);
    CHECK(truth.total_frozen("vms/vm1") == 7015ms);
    CHECK(truth.freezes("vms/vm1") == 2);
    CHECK(truth.thaws("vms/vm1") == 1);
    CHECK(truth.intervals("vms/vm1")[0].thawed_by == "webhook");
    CHECK(truth.guests_json()["vms/vm1"]["frozen_now"] == true);
  });
}
