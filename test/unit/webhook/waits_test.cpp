// What is waited for, how often it is looked at, and when a wait ends.
#include "webhook/waits.h"

#include "kube/paths.h"
#include "test/support/catch.h"
#include "test/unit/webhook/world.h"

namespace snapfreeze::webhook::waits_test {
namespace {

using test::check_crash;
using test::FakeFault;
using test::harvester_review;
using test::path_of;
using test::World;
namespace reason = freeze::reason;

TEST_CASE("a slot is taken by the first wait and kept until the last") {
  test::FakeClock clock;
  const Budget budget(clock, clock.monotonic() + Millis(1000));
  Slots waits(1);
  {
    Wait wait(waits);
    CHECK(Slots::Taken(waits));
    CHECK(wait.next(clock, budget));
    CHECK(wait.next(clock, budget));
    CHECK_FALSE(wait.found_no_slot());
    CHECK_FALSE(Slots::Taken(waits));
  }
  CHECK(Slots::Taken(waits));
}

TEST_CASE("without a slot nobody waits") {
  test::FakeClock clock;
  const Mono start = clock.monotonic();
  Slots waits(0);
  Wait wait(waits);
  CHECK_FALSE(wait.found_no_slot());
  CHECK_FALSE(wait.next(clock, Budget(clock, start + Millis(1000))));
  CHECK(wait.found_no_slot());
  CHECK(clock.monotonic() == start);
}

TEST_CASE("a backup that cannot be read just now is read again") {
  World world;
  const int status = GENERATE(0, 429, 500, 503);
  const FakeFault fault = status == 0 ? FakeFault{} : FakeFault{FakeFault::Kind::kStatus, status};
  world.api.faults[1] = fault;
  world.api.faults[2] = fault;
  CHECK(world.admit(harvester_review("disk-0")).decision == kFroze);
}

TEST_CASE("a read of the backup that hangs is repeated in the rest of the budget") {
  World world;
  world.store("disk-2", {});
  world.api.faults[1] = {FakeFault::Kind::kHang};
  check_crash(world.admit(harvester_review("disk-0")), reason::kLate);
}

TEST_CASE("a backup that cannot be read at all is an error, with enough time left to undo a freeze") {
  World world;
  world.api.statuses[path_of(kube::kHarvesterBackups, "b1")] = 500;
  const Mono start = world.clock.monotonic();
  check_crash(world.admit(harvester_review("disk-0")), reason::kApiError);
  CHECK(world.clock.monotonic() - start > Millis(8000));
  CHECK(world.clock.monotonic() - start <= Millis(8700));
  CHECK(world.api.ledger.size() < 60);
}

TEST_CASE("a backup that will not be readable later either, or that nobody has a place to wait for, is read once") {
  Settings settings;
  int status = 403;
  SECTION("forbidden") {}
  SECTION("no slot") {
    settings.max_waits = 0;
    status = 500;
  }
  World world(settings);
  world.api.statuses[path_of(kube::kHarvesterBackups, "b1")] = status;
  check_crash(world.admit(harvester_review("disk-0")), reason::kApiError);
  CHECK(world.api.ledger.size() == 1);
}

}  // namespace
}  // namespace snapfreeze::webhook::waits_test
