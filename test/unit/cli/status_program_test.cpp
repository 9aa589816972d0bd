// `snapfreeze status` over TLS, against the embedded cluster.
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "test/support/catch.h"
#include "test/unit/cli/installed.h"

namespace {

using nlohmann::json;
using test::Installed;
using test::Run;
using test::says;

TEST_CASE("status shows a guest while it is frozen, and then what its backup is worth") {
  Installed installed;
  installed.sandbox.control("POST", "storage", {{"style", "longhorn"}, {"cut", 4000}});
  Run run = installed.run("status -n vms");
  CAPTURE(run.said);
  CHECK(run.status == 0);
  CHECK(run.said == "No guest is frozen.\n\nNo backups.\n");

  installed.back_up("b1");
  CHECK(installed.wait([&] {
    run = installed.run("status -n vms");
    return says(run, "Frozen") && says(run, "0/3");
  }));
  CHECK(run.status == 0);
  CHECK(says(run, "vms         db   Frozen"));
  CHECK(says(run, "pending"));
  CHECK(installed.run("status -n other").said == "No guest is frozen.\n\nNo backups.\n");
  CHECK(says(installed.run("status -A"), "Frozen"));

  REQUIRE(installed.wait([&] { return !installed.consistency("b1").empty(); }));
  // On a machine that is too busy it may be crash, rightly.
  const std::string verdict = installed.consistency("b1");
  run = installed.run("status -n vms -o json");
  CHECK(run.status == 0);
  const json status = json::parse(run.said);
  CHECK(status.at("frozen").empty());
  CHECK(status.at("systemNamespace").get<std::string>() == "snapfreeze");
  CHECK(status.at("backups").at(0).at("consistency").get<std::string>() == verdict);
  CHECK(says(installed.run("status -n vms -o yaml"), "    consistency: \"" + verdict + "\"\n"));
  CHECK(says(installed.run("status -n vms -o wide"), "FROZEN FOR"));
}

TEST_CASE("status shows a guest that somebody else has frozen, once it is sure") {
  Installed installed(false);
  const std::string guest = "/apis/subresources.kubevirt.io/v1/namespaces/vms/virtualmachineinstances/db/freeze";
  const auto reply = installed.sandbox.call("admin", "PUT", guest, {{"unfreezeTimeout", "300s"}});
  REQUIRE(reply.status < 300);
  REQUIRE(installed.wait([&] {
    const std::string vmi = "/apis/kubevirt.io/v1/namespaces/vms/virtualmachineinstances/db";
    const json object = json::parse(installed.sandbox.call("admin", "GET", vmi).body);
    return object.at("status").value("fsFreezeStatus", "") == "frozen";
  }));
  Run run = installed.run("status -n vms --system-namespace snapfreeze");
  CAPTURE(run.said);
  CHECK(run.status == 1);
  CHECK(says(run, "vms         db   NO SESSION"));
  CHECK(says(run, "`snapfreeze thaw` thaws it"));
  CHECK(installed.run("status -n other --system-namespace snapfreeze").status == 0);

  // Right after the thaw the guest may be called frozen still, which is not believed.
  CHECK(installed.run("thaw db -n vms --system-namespace snapfreeze").status == 0);
  run = installed.run("status -n vms --system-namespace snapfreeze");
  CAPTURE(run.said);
  CHECK_FALSE(says(run, "NO SESSION"));
}

TEST_CASE("status that watches says what is new, and ends at a signal") {
  Installed installed(false);
  const std::string kubeconfig = (installed.sandbox.directory() / "admin.kubeconfig").string();
  const Run quiet = test::shell("env -i timeout --foreground --preserve-status --signal=INT 5 " SNAPFREEZE
                                " status -A -w -o json --kubeconfig " +
                                kubeconfig);
  CAPTURE(quiet.said);
  CHECK(quiet.status == 0);
  CHECK(quiet.said.find("\"frozen\"") == quiet.said.rfind("\"frozen\""));
}

TEST_CASE("status says what it cannot see, and who is not there") {
  Installed installed(false);
  SECTION("nothing is installed in that namespace") {
    const Run run = installed.run("status --system-namespace elsewhere");
    CHECK(run.status == 1);
    CHECK(says(run, "Not installed: namespace elsewhere"));
  }
  SECTION("anyone who may not see the sessions sees the backups") {
    installed.sandbox.control("POST", "access", {{"user", "tenant"}, {"resource", "leases"}});
    const Run run = installed.run("status -n vms --system-namespace snapfreeze", "tenant");
    CHECK(run.status == 3);
    CHECK(says(run, "not known"));
    CHECK(says(run, "cannot list resource \"leases\""));
    CHECK(says(run, "No backups."));
  }
  SECTION("anyone who may not see the guests is told that frozen ones may be missing") {
    installed.sandbox.control("POST", "access", {{"user", "tenant"}, {"resource", "virtualmachineinstances"}});
    const Run run = installed.run("status -n vms --system-namespace snapfreeze", "tenant");
    CHECK(run.status == 3);
    CHECK(says(run, "No guest is held.\n"));
    CHECK(says(run, "Not seen: guests that are frozen without a session: cannot list virtualmachineinstances"));
  }
  SECTION("anyone who may not see the backups is told so") {
    installed.sandbox.control("POST", "access", {{"user", "tenant"}, {"resource", "virtualmachinebackups"}});
    const Run run = installed.run("status -n vms --system-namespace snapfreeze", "tenant");
    CAPTURE(run.said);
    CHECK(run.status == 3);
    CHECK(says(run, "virtualmachinebackups"));
  }
  SECTION("a cluster that is not Harvester's has no backups of its kind") {
    installed.sandbox.control(
        "POST", "api",
        {{"serve", {{"group", "harvesterhci.io"}, {"resource", "virtualmachinebackups"}, {"served", false}}}});
    CHECK(installed.run("status -A --system-namespace snapfreeze").status == 0);
  }
  SECTION("an unknown output") {
    const Run run = installed.run("status -o xml");
    CHECK(run.status == 2);
    CHECK(says(run, "xml"));
    CHECK(says(run, "yaml"));
  }
  SECTION("an API server that hangs is not waited for for ever") {
    installed.sandbox.control("POST", "faults", {{"kind", "hang"}, {"caller", "admin"}, {"verb", "list"}});
    CHECK(installed.run("status", "admin", 20).status == 3);
  }
}

TEST_CASE("status of an API server that is not there") {
  const std::string config = "/tmp/snapfreeze-cli-test." + std::to_string(getpid()) + ".kubeconfig";
  const Run made = test::shell(
      "printf '%s\\n' 'apiVersion: v1' 'kind: Config' 'current-context: x' 'clusters: [{name: x, "
      "cluster: {server: \"https://127.0.0.1:1\"}}]' 'users: [{name: x, user: {token: x}}]' "
      "'contexts: [{name: x, context: {cluster: x, user: x}}]' > " +
      config);
  REQUIRE(made.status == 0);
  const Run run = test::snapfreeze("status --kubeconfig " + config);
  CAPTURE(run.said);
  CHECK(run.status == 3);
  CHECK(says(run, "127.0.0.1"));
  test::shell("rm " + config);
}

TEST_CASE("status -w ends at once when its reader is gone") {
  Installed installed;
  const std::string kubeconfig = (installed.sandbox.directory() / "admin.kubeconfig").string();
  const Run run = test::shell("bash -c 'timeout 20 " SNAPFREEZE " status -n vms -w --kubeconfig " + kubeconfig +
                              " | head -1; echo ${PIPESTATUS[0]}'");
  CHECK(run.said == "No guest is frozen.\n1\n");
}

}  // namespace
