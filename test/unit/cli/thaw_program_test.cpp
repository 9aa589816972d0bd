// `snapfreeze thaw` over TLS, against the embedded cluster.
#include <nlohmann/json.hpp>

#include "test/support/catch.h"
#include "test/unit/cli/installed.h"

namespace {

using test::Installed;
using test::Run;
using test::says;

TEST_CASE("thaw ends a freeze, says what it did, and the backup says so too") {
  Installed installed;
  installed.sandbox.control("POST", "storage", {{"style", "longhorn"}, {"cut", 8000}});
  installed.back_up("b1");
  // A disk that came after the thaw would be late.
  REQUIRE(installed.wait([&] {
    const Run story = installed.run("explain b1 -n vms");
    return says(story, "b1-volume-db-disk-0 admitted while frozen") &&
           says(story, "b1-volume-db-disk-1 admitted while frozen") &&
           says(story, "b1-volume-db-disk-2 admitted while frozen");
  }));
  const Run run = installed.run("thaw db -n vms");
  CAPTURE(run.said);
  CHECK(run.status == 0);
  CHECK(says(run, "vms/db: it is held for b1 (Frozen since "));
  CHECK(says(run, "vms/db: recorded in Lease snapfreeze/vms.db, for the sweeper\nvms/db: thawed\n"));
  CHECK(says(run, "thawed-by-hand"));
  const auto frozen = installed.sandbox.control("GET", "guests").at("vms/db").at("intervals");
  CHECK(!frozen.back().at("until_ms").is_null());
  CHECK(installed.wait([&] { return installed.consistency("b1") == "crash"; }));
  CHECK(installed.reason("b1") == "thawed-by-hand");
  CHECK(says(installed.run("status -n vms"), "thawed-by-hand"));
}

TEST_CASE("thaw of what cannot be thawed") {
  Installed installed(false);
  SECTION("an unknown VM") {
    const Run run = installed.run("thaw ghost -n vms");
    CHECK(run.status == 4);
    CHECK(says(run, "there is no VM vms/ghost"));
  }
  SECTION("a VM that does not run") {
    installed.sandbox.control("POST", "vms", {{"ns", "vms"}, {"name", "off"}, {"running", false}});
    const Run run = installed.run("thaw off -n vms");
    CHECK(run.status == 0);
    CHECK(says(run, "not running"));
  }
  SECTION("a name that would leave its path") {
    const Run run = installed.run("thaw .. -n vms");
    CHECK(run.status == 2);
    CHECK(says(run, "'..' is not a valid VM name"));
  }
  SECTION("no VM at all") {
    CHECK(installed.run("thaw -n vms").status == 2);
  }
  SECTION("who may not write the record touches nothing") {
    installed.sandbox.control("POST", "access", {{"user", "tenant"}, {"resource", "leases"}});
    const Run run = installed.run("thaw db -n vms", "tenant");
    CHECK(run.status == 3);
    CHECK(says(run, "was not touched"));
    CHECK(says(run, "leases"));
    CHECK(installed.sandbox.control("GET", "calls").value("/tenant/unfreeze"_json_pointer, 0) == 0);
  }
}

}  // namespace
