// `snapfreeze check` over TLS, against the embedded cluster.
#include <nlohmann/json.hpp>

#include "test/support/catch.h"
#include "test/unit/cli/installed.h"

namespace {

using nlohmann::json;
using test::Installed;
using test::Run;
using test::says;

TEST_CASE("check of an installation says what is in order, and what a VM lacks") {
  Installed installed;
  const auto create = [&](const std::string& path, const json& object) {
    CHECK(installed.sandbox.call("admin", "POST", path, object).status == 201);
  };
  create("/apis/kubevirt.io/v1/namespaces/vms/kubevirts", {{"apiVersion", "kubevirt.io/v1"},
                                                           {"kind", "KubeVirt"},
                                                           {"metadata", {{"name", "kubevirt"}}},
                                                           {"status", {{"observedKubeVirtVersion", "v1.7.0"}}}});
  create("/apis/harvesterhci.io/v1beta1/settings", {{"apiVersion", "harvesterhci.io/v1beta1"},
                                                    {"kind", "Setting"},
                                                    {"metadata", {{"name", "server-version"}}},
                                                    {"value", "v1.9.0"}});
  installed.sandbox.control("POST", "vms", {{"ns", "vms"}, {"name", "deaf"}, {"agent", false}});
  installed.sandbox.control("POST", "vms", {{"ns", "vms"}, {"name", "rhel"}, {"freeze_command", false}});
  Run run = installed.run("check -n vms");
  CAPTURE(run.said);
  CHECK(run.status == 0);
  for (const char* line :
       {"ok     API server: v1.36.0\n", "ok     KubeVirt: v1.7.0\n", "ok     Harvester: v1.9.0\n",
        "ok     webhook: registered, in namespace snapfreeze\n", "ok     sweeper: sweeper-0_",
        "ok     rights of system:serviceaccount:snapfreeze:snapfreeze-webhook: all 12 that are needed\n",
        "WARN   VM vms/deaf: its backups are crash: no-agent: ", "WARN   VM vms/rhel: its guest agent refuses",
        "ok     VMs: 1 of 3 running ones have an agent that can freeze\n"}) {
    CAPTURE(line);
    CHECK(says(run, line));
  }
  CHECK(json::parse(installed.run("check -n vms -o json").said).at("findings").size() > 8);

  CHECK(says(installed.run("check -n vms --vm db"), "would freeze it"));
  run = installed.run("check -n vms --vm deaf");
  CHECK(run.status == 1);
  CHECK(says(run, "would be crash: no-agent"));
  run = installed.run("check -n vms --vm ghost");
  CHECK(run.status == 4);
  CHECK(says(run, "there is no VM vms/ghost"));

  run = installed.run("check -n vms --dry-run-snapshot");
  CAPTURE(run.said);
  CHECK(run.status == 0);
  CHECK(says(run, "came back with the webhook's mark"));
  installed.sandbox.processes().at("webhook-0").end();
  run = installed.run("check -n vms --dry-run-snapshot");
  CHECK(run.status == 1);
  CHECK(says(run, "without the webhook's mark"));

  installed.sandbox.control("POST", "access",
                            {{"user", "system:serviceaccount:snapfreeze:snapfreeze-webhook"},
                             {"resource", "virtualmachineinstances/freeze"}});
  run = installed.run("check -n vms");
  CHECK(run.status == 1);
  CHECK(says(run, "ERROR  rights of system:serviceaccount:snapfreeze:snapfreeze-webhook: may not update"));
}

TEST_CASE("check where nothing is installed, or nothing may be seen") {
  Installed installed(false);
  installed.sandbox.processes().at("sweeper-0").end();
  Run run = installed.run("check -n vms --system-namespace elsewhere");
  CAPTURE(run.said);
  CHECK(run.status == 1);
  CHECK(says(run, "ERROR  webhook: is not registered"));
  CHECK(says(run, "ERROR  sweeper: none has ever led in namespace elsewhere"));
  CHECK(says(run, "ERROR  KubeVirt") == false);
  installed.sandbox.control("POST", "access", {{"user", "tenant"}});
  run = installed.run("check -n vms", "tenant");
  // What could not be looked at is not fine.
  CHECK(run.status == 3);
  CHECK(says(run, "?      webhook: not known: "));
  CHECK(says(run, "?      your rights: cannot be checked: "));
  CHECK(says(installed.run("check -n vms --dry-run-snapshot", "tenant"), "?      admission"));
  CHECK(installed.run("check --vm a/b").status == 2);
}

TEST_CASE("what check may not look at is said by name, and is not fine") {
  Installed installed;
  const std::string resource = GENERATE("virtualmachinebackups", "virtualmachineinstances/guestosinfo", "settings");
  CAPTURE(resource);
  CHECK(installed.run("check -n vms --vm db").status == 0);
  installed.sandbox.control("POST", "access", {{"user", "tenant"}, {"resource", resource}});
  const Run run = installed.run("check -n vms", "tenant");
  CAPTURE(run.said);
  CHECK(says(run, "cannot "));
  CHECK(says(run, resource));
  // KubeVirt's object is not there.
  CHECK(run.status == 3);
}

}  // namespace
