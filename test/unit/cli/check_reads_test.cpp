// What `check` asks the API server, and what it says of what it may not see.
#include "cli/check/check_reads.h"

#include <algorithm>

#include "cli/check/check_cluster.h"
#include "cli/check/check_guests.h"
#include "cli/shared/look.h"
#include "test/support/catch.h"
#include "test/unit/cli/scripted_cluster.h"
#include "test/unit/cli/texts.h"

namespace snapfreeze::cli {
namespace {

using ::test::contains;
using ::test::kHome;
using ::test::parsed;
using ::test::ScriptedCluster;

CheckScope scope() {
  CheckScope scope;
  scope.namespace_ = "prod";
  scope.home = {kHome, Home::Known::kTold};
  return scope;
}

TEST_CASE("check says by name what it may not see") {
  ScriptedCluster cluster;
  cluster.api.put("/version", parsed("{'gitVersion': 'v1.36.0'}"));
  cluster.api.add(kube::kVirtualMachineInstances, "prod",
                  {parsed("{'metadata': {'name': 'db1', 'namespace': 'prod'}, 'status': {'phase': 'Running', "
                          "'conditions': [{'type': 'AgentConnected', 'status': 'True'}]}}")});
  const std::string part = GENERATE("virtualmachinebackups", "virtualmachineinstances", "guestosinfo", "settings");
  CAPTURE(part);
  cluster.api.refuse(part);
  Look look(cluster.api, cluster.clock);
  const auto facts = read_check(look, cluster.clock, scope());
  REQUIRE(facts);
  std::vector<Finding> findings = check_cluster(*facts);
  for (const Finding& finding : check_vms(*facts)) findings.push_back(finding);
  bool said = false;
  for (const Finding& finding : findings) {
    const bool about_it = finding.level == Finding::Level::kUnknown && contains(finding.says, part);
    said = said || about_it;
  }
  CAPTURE(to_text(findings, false));
  CHECK(said);
}

TEST_CASE("whether the sweeper may keep certificates is asked only where it keeps them") {
  ScriptedCluster cluster;
  cluster.api.put("/version", parsed("{'gitVersion': 'v1.36.0'}"));
  const std::string secret = kube::object_path(kube::kSecrets, kHome, "snapfreeze-tls");
  const auto asked = [&] {
    Look look(cluster.api, cluster.clock);
    const auto facts = read_check(look, cluster.clock, scope());
    REQUIRE(facts);
    const auto& answers = facts->access.at(1).answers;
    return std::any_of(answers.begin(), answers.end(),
                       [](const auto& answer) { return answer.first.resource == "secrets"; });
  };
  CHECK_FALSE(asked());
  cluster.api.put(secret, parsed("{'metadata': {'name': 'snapfreeze-tls'}}"));  // cert-manager's
  CHECK_FALSE(asked());
  cluster.api.put(secret, parsed("{'metadata': {'labels': {'app.kubernetes.io/name': 'snapfreeze'}}}"));
  CHECK(asked());
}

TEST_CASE("check of one VM says by name what it may not see") {
  ScriptedCluster cluster;
  cluster.api.put(kube::object_path(kube::kVirtualMachineInstances, "prod", "db1"),
                  parsed("{'metadata': {'name': 'db1', 'namespace': 'prod'}, 'status': {'phase': 'Running', "
                         "'conditions': [{'type': 'AgentConnected', 'status': 'True'}]}}"));
  cluster.api.put(kube::object_path(kube::kGuestCalls, "prod", "db1", "guestosinfo"), Json::object());
  const std::string part = GENERATE("", "/pods", "virtualmachinesnapshots", "backup.kubevirt.io", "guestosinfo",
                                    "/leases/", "/namespaces/prod/virtualmachines");
  CAPTURE(part);
  if (!part.empty()) cluster.api.refuse(part);
  Look look(cluster.api, cluster.clock);
  const auto findings = read_foretold(look, cluster.clock, {kHome, Home::Known::kTold}, "prod", "db1");
  if (part == "/namespaces/prod/virtualmachines") {
    // Of the VM itself nothing is known then.
    CHECK_FALSE(findings);
    return;
  }
  REQUIRE(findings);
  CAPTURE(to_text(*findings, false));
  CHECK(has(*findings, Finding::Level::kUnknown) == !part.empty());
}

}  // namespace
}  // namespace snapfreeze::cli
