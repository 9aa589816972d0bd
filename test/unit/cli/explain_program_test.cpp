// `snapfreeze explain` over TLS, against the embedded cluster.
#include <fstream>
#include <sstream>

#include "test/support/catch.h"
#include "test/unit/cli/installed.h"

namespace {

using test::Installed;
using test::Run;
using test::says;

TEST_CASE("explain tells how a backup went, in words and as a picture") {
  Installed installed;
  installed.back_up("b1");
  REQUIRE(installed.wait([&] { return installed.consistency("b1") == "filesystem"; }));
  const std::string svg = (installed.sandbox.directory() / "b1.svg").string();
  Run run = installed.run("explain b1 -n vms --svg " + svg);
  CAPTURE(run.said);
  CHECK(run.status == 0);
  CHECK(says(run, "backup vms/b1 of VM db: filesystem\nWhy: every disk was captured during one freeze"));
  CHECK(says(run, "b1-volume-db-disk-0 admitted while frozen, in session "));
  CHECK(says(run, "b1-volume-db-disk-2 captured, according to the content"));
  CHECK(says(run, "verdict: all disks were captured while frozen"));
  std::ifstream file(svg);
  std::ostringstream picture;
  picture << file.rdbuf();
  CHECK(picture.str().starts_with("<svg "));
  CHECK(picture.str().find("3 of 3 disks cut while frozen; the backup says: filesystem") != std::string::npos);
  CHECK(installed.run("explain b1 -n vms -o svg").said == picture.str());

  installed.sandbox.control("POST", "vms", {{"ns", "vms"}, {"name", "deaf"}, {"agent", false}});
  installed.back_up("b2", "deaf");
  REQUIRE(installed.wait([&] { return installed.consistency("b2") == "crash"; }));
  run = installed.run("explain b2 -n vms");
  CHECK(run.status == 1);
  CHECK(says(run, "Why: no-agent: the guest agent is not connected"));
  CHECK(says(run, "admitted without a freeze (no-agent)"));
}

TEST_CASE("Harvester's own error is told by status, check and explain, with its time") {
  Installed installed(false);
  installed.sandbox.control("POST", "faults",
                            {{"kind", "status"}, {"verb", "create"}, {"path", "volumesnapshots"}, {"count", -1}});
  installed.back_up("old");
  const auto told = [&](const std::string& command, const std::string& text) {
    Run run;
    const bool said = installed.wait(
        [&] {
          run = installed.run(command + " -n vms --system-namespace snapfreeze");
          return says(run, text);
        },
        snapfreeze::Millis(60000));  // it tries for a while before it gives up
    CAPTURE(command, run.said);
    CHECK(said);
    return run;
  };
  const Run explained = told("explain old", "Harvester's own error: ");
  CHECK(says(explained, " (at 20"));
  CHECK(says(explained, "Harvester says that the backup failed: "));
  CHECK(says(told("status", "HARVESTER'S ERROR"), "in error"));
  CHECK(says(told("check", "backup vms/old failed at 20"), "and will be retried: it freezes db each time"));
  CHECK(says(told("check --vm db", "backup old, which failed at 20"), "WARN   VM vms/db: Harvester will retry"));
}

TEST_CASE("explain of what is not there, or not to be seen") {
  Installed installed(false);
  Run run = installed.run("explain ghost -n vms");
  CHECK(run.status == 4);
  CHECK(says(run, "there is no backup vms/ghost"));
  run = installed.run("explain ../x -n vms");
  CHECK(run.status == 2);
  CHECK(says(run, "'../x' is not a valid backup name"));
  CHECK(installed.run("explain x -n vms -o png").status == 2);
  CHECK(installed.run("explain -n vms").status == 2);
  installed.sandbox.control("POST", "access", {{"user", "tenant"}, {"resource", "virtualmachinebackups"}});
  run = installed.run("explain b1 -n vms", "tenant");
  CHECK(run.status == 3);
  CHECK(says(run, "cannot get resource \"virtualmachinebackups\""));
}

}  // namespace
