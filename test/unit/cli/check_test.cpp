// What `check` finds, of facts that are written down here.
#include "cli/check/check.h"

#include <algorithm>
#include <string>

#include "base/base64.h"
#include "certs/authority.h"
#include "cli/check/check_cluster.h"
#include "cli/check/check_guests.h"
#include "cli/check/check_installation.h"
#include "freeze/names.h"
#include "test/support/catch.h"
#include "test/unit/cli/check_facts.h"
#include "test/unit/cli/program.h"
#include "test/unit/cli/texts.h"

namespace snapfreeze::cli {
namespace {

using Level = Finding::Level;
using std::chrono::hours;
using std::chrono::seconds;
using ::test::contains;
using ::test::parsed;

struct Pki {
  certs::PemPair ca = *certs::make_ca("test", kAt - hours(1));
  certs::PemPair leaf = *certs::issue_serving(ca, {{"snapfreeze-webhook.snapfreeze-system.svc"}, {}}, kAt - hours(1));
};

const Pki& pki() {
  static const Pki kPki;
  return kPki;
}

Json registration(const std::string& bundle, const std::string& policy = "Ignore") {
  return parsed(
      "{'metadata': {'name': 'snapfreeze'}, 'webhooks': [{'name': 'volumesnapshots.snapfreeze', "
      "'failurePolicy': '" +
      policy +
      "', 'timeoutSeconds': 15, 'rules': [{'resources': ['volumesnapshots']}], 'clientConfig': "
      "{'caBundle': '" +
      base64_encode(bundle) + "'}}]}");
}

Json secret(const std::string& leaf) {
  return parsed("{'metadata': {'resourceVersion': '1'}, 'data': {'tls.crt': '" + base64_encode(leaf) + "'}}");
}

kube::BackupView backup(const std::string& name, const std::string& vm, hours ago, const std::string& deadline) {
  kube::BackupView view;
  view.metadata.name = name;
  view.metadata.namespace_ = "prod";
  view.metadata.creation_timestamp = kAt - ago;
  view.source_name = vm;
  if (!deadline.empty()) view.fs_freeze_deadline = *parse_duration(deadline);
  return view;
}

std::vector<std::pair<Right, Result<bool>>> answers(std::span<const Right> rights) {
  std::vector<std::pair<Right, Result<bool>>> all;
  for (const Right& right : rights) all.emplace_back(right, true);
  return all;
}

// Everything as it should be.
CheckFacts good() {
  CheckFacts facts;
  facts.now = kAt;
  facts.home = {"snapfreeze-system", Home::Known::kRegistered};
  facts.version = parsed("{'gitVersion': 'v1.34.1'}");
  facts.registration = registration(pki().ca.certificate);
  facts.serving_secret = secret(pki().leaf.certificate);
  facts.served = Result<std::string>(pki().leaf.certificate);
  facts.leader.first = lease("snapfreeze-sweeper-0", "2026-11-24T11:59:58.000000Z");
  facts.kubevirts = parsed("{'items': [{'status': {'observedKubeVirtVersion': 'v1.7.0'}}]}");
  facts.harvester_version = parsed("{'value': 'v1.9.0'}");
  facts.backups = std::vector<kube::BackupView>{};
  facts.vmis = std::vector<kube::VmiView>{};
  facts.access = {{"system:serviceaccount:snapfreeze-system:snapfreeze-webhook", answers(webhook_rights())},
                  {"yours", answers(admin_rights())}};
  return facts;
}

std::vector<Finding> all_of(const CheckFacts& facts) {
  std::vector<Finding> findings = check_cluster(facts);
  for (const auto& more : {check_installation(facts), check_access(facts.access), check_vms(facts)}) {
    findings.insert(findings.end(), more.begin(), more.end());
  }
  return findings;
}

// The lines of that level.
std::string lines(const std::vector<Finding>& findings, Level level) {
  std::vector<Finding> some;
  for (const Finding& finding : findings) {
    if (finding.level == level) some.push_back(finding);
  }
  return to_text(some, false);
}

TEST_CASE("an installation in order") {
  const auto findings = all_of(good());
  CHECK_FALSE(has(findings, Level::kError));
  // The certificate's end is not the same in each run.
  std::string text = to_text(findings, false);
  for (std::size_t at = 0; (at = text.find("until ", at)) != std::string::npos; at += 6) text.replace(at + 6, 20, "T");
  ::test::check_golden("check-good.txt", text);
}

TEST_CASE("each thing that is wrong is one line, with what to do") {
  CheckFacts facts = good();
  const auto errors = [&] { return lines(all_of(facts), Level::kError); };
  const auto warnings = [&] { return lines(all_of(facts), Level::kWarning); };
  REQUIRE(errors().empty());
  REQUIRE(warnings().empty());

  SECTION("not registered") {
    facts.registration = missing("snapfreeze");
    CHECK(contains(errors(), "webhook: is not registered"));
    CHECK(contains(errors(), " -> install the chart"));
  }
  SECTION("an empty registration") {
    facts.registration = parsed("{'webhooks': []}");
    CHECK(contains(errors(), "empty"));
  }
  SECTION("a failure would block backups") {
    facts.registration = registration(pki().ca.certificate, "Fail");
    CHECK(contains(errors(), "failurePolicy is not Ignore"));
  }
  SECTION("another CA") {
    facts.registration = registration(certs::make_ca("other", kAt)->certificate);
    CHECK(contains(errors(), "caBundle and the stored certificate: volumesnapshots.snapfreeze: "));
    CHECK(contains(errors(), "caBundle and the served certificate: "));
  }
  SECTION("no CA at all") {
    facts.registration = registration("");
    CHECK(contains(errors(), "caBundle is empty"));
  }
  SECTION("a certificate near its end, and after it") {
    const auto end = certs::inspect(pki().leaf.certificate)->not_after;
    facts.leader.first = missing("lease");
    facts.now = end - hours(1);
    CHECK(contains(warnings(), "expires soon"));
    facts.now = end;
    CHECK(contains(errors(), "expired"));
  }
  SECTION("a webhook that does not answer") {
    facts.served = Result<std::string>(Error{Code::kTransient, "connection refused", 0});
    CHECK(contains(errors(), "connection refused"));
  }
  SECTION("no sweeper") {
    facts.leader.first = missing("lease");
    CHECK(contains(errors(), "sweeper: none has ever led in namespace snapfreeze-system -> "));
    facts.leader.first = lease("", "2026-11-24T11:59:58Z");
    CHECK(contains(errors(), "sweeper: none leads"));
    facts.leader.first = lease("s-0", "2026-11-24T11:50:00Z");
    facts.leader.second = Result<Json>(lease("s-0", "2026-11-24T11:50:00Z"));
    CHECK(contains(errors(), "s-0 led, but has not renewed its Lease since 2026-11-24T11:50:00Z"));
  }
  SECTION("a sweeper whose clock is wrong, but who renews") {
    facts.leader.first = lease("s-0", "2026-11-24T11:50:00Z");
    facts.leader.second = Result<Json>(lease("s-0", "2026-11-24T11:50:06Z"));
    CHECK(errors().empty());
    CHECK(contains(warnings(), "clock"));
  }
  SECTION("KubeVirt that is not there, or too old, or too new") {
    facts.kubevirts = missing("kubevirts");
    CHECK(contains(errors(), "KubeVirt: is not installed"));
    for (const std::string version : {"v1.5.9", "v1.10.0", "v2.0.0", "devel"}) {
      facts.kubevirts = parsed("{'items': [{'status': {'observedKubeVirtVersion': '" + version + "'}}]}");
      CHECK(contains(warnings(), version + ": "));
    }
  }
  SECTION("Harvester asks for a short freeze: of each VM, what is newest counts") {
    facts.backups = std::vector{backup("b1", "db1", hours(1), "10s"), backup("b2", "db1", hours(2), "0s"),
                                backup("b3", "web", hours(3), "2m0s")};
    CHECK(contains(warnings(),
                   "Harvester: backups of prod/db1 ask for a freeze of 10s, so their disks must be cut "
                   "within 10s -> "));
    CHECK(contains(warnings(), "Never set it to 0"));
    facts.backups = std::vector{backup("b1", "db1", hours(1), "45s"), backup("b2", "db1", hours(2), "10s")};
    CHECK(warnings().empty());
  }
  SECTION("a freeze without end is never advised, and said to be a danger") {
    facts.backups = std::vector{backup("b1", "db1", hours(9), "0s"), backup("b2", "web", hours(1), "10s"),
                                backup("b3", "mail", hours(1), "")};
    CHECK(contains(warnings(), "Harvester: backups of prod/db1 ask for a freeze without end"));
    CHECK_FALSE(contains(warnings(), "or 0"));
  }
  SECTION("a backup that failed and is tried again is named, with its error and its time") {
    kube::BackupView failed = backup("old", "db1", hours(30), "");
    failed.error = "failed to freeze";
    failed.error_time = kAt - hours(2);
    failed.snapshot_names = {"old-0", "old-1"};
    facts.backups = std::vector{failed};
    facts.snapshots = std::set<std::string>{"prod/old-0"};
    CHECK(contains(warnings(),
                   "backup prod/old failed at 2026-11-24T10:00:00Z (failed to freeze) and will be retried: "
                   "it freezes db1 each time"));
    // Harvester freezes no more for it: it only uploads.
    facts.snapshots = std::set<std::string>{"prod/old-0", "prod/old-1"};
    CHECK(warnings().empty());
  }
  SECTION("guests that share a disk") {
    kube::VmiView one = vmi("db1");
    kube::VmiView other = vmi("db2");
    one.claims = {"own", "shared"};
    other.claims = {"shared"};
    facts.vmis = std::vector{one, other};
    CHECK(contains(warnings(), "the disk prod/shared is used by prod/db1, prod/db2: "));
    other.phase = "Succeeded";
    facts.vmis = std::vector{one, other};
    CHECK(warnings().empty());
  }
  SECTION("a right that is missing: ours is an error, yours a warning") {
    facts.access[0].answers[6].second = false;
    CHECK(contains(errors(), "snapfreeze-webhook: may not update virtualmachineinstances/freeze.subresources"));
    facts.access[1].answers[0].second = false;
    CHECK(contains(warnings(), "your rights: may not get mutatingwebhookconfigurations"));
  }
  SECTION("what may not be seen is not known, and no error: each of it by name") {
    facts.version = denied("version");
    facts.registration = denied("registration");
    facts.serving_secret = denied("secret");
    facts.leader.first = denied("lease");
    facts.kubevirts = denied("kubevirts");
    facts.harvester_version = denied("settings");
    facts.backups = denied("backups");
    facts.vmis = denied("vmis");
    facts.unseen_agents = {"guestosinfo is forbidden"};
    facts.access[0].answers[0].second = denied("subjectaccessreviews");
    CHECK_FALSE(has(all_of(facts), Level::kError));
    const std::string unknown = lines(all_of(facts), Level::kUnknown);
    for (const char* what : {"version is", "registration is", "lease is", "kubevirts is", "settings is", "backups is",
                             "vmis is", "subjectaccessreviews is"}) {
      CAPTURE(what);
      CHECK(contains(unknown, what));
    }
    facts.vmis = std::vector<kube::VmiView>{};
    CHECK(contains(lines(all_of(facts), Level::kUnknown), "guest agents: guestosinfo is"));
  }
  SECTION("whether failed backups are tried again, where snapshots may not be seen") {
    facts.snapshots = denied("volumesnapshots");
    CHECK(contains(lines(all_of(facts), Level::kUnknown), "volumesnapshots is"));
  }
}

}  // namespace
}  // namespace snapfreeze::cli
