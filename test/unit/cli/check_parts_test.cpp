// What `check` finds of one thing at a time.
#include "cli/check/check_guests.h"
#include "cli/check/check_installation.h"
#include "cli/check/check_longhorn.h"
#include "freeze/names.h"
#include "test/support/catch.h"
#include "test/unit/cli/check_facts.h"
#include "test/unit/cli/program.h"

namespace snapfreeze::cli {
namespace {

using Level = Finding::Level;
using ::test::contains;
using ::test::parsed;

TEST_CASE("whether Longhorn answers is said where there is one, to whoever may ask") {
  CheckFacts facts;
  std::vector<Finding> findings;
  SECTION("it answers") {
    facts.longhorn = parsed("{'type': 'apiVersion'}");
    check_longhorn(facts, findings);
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].level == Finding::Level::kGood);
  }
  SECTION("it does not: what that means") {
    facts.longhorn = Error{Code::kTransient, "no endpoints available for service", 503};
    check_longhorn(facts, findings);
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].level == Finding::Level::kWarning);
    CHECK(contains(findings[0].says, "no endpoints available"));
    CHECK(contains(findings[0].says, "up to 7 s longer"));
    CHECK_FALSE(findings[0].remedy.empty());
  }
  SECTION("there is none, or one may not ask") {
    facts.longhorn = missing("services");
    check_longhorn(facts, findings);
    facts.longhorn = denied("services/proxy");
    check_longhorn(facts, findings);
    CHECK(findings.empty());
  }
}

TEST_CASE("a leader's Lease is doubtful when its time is far from the API server's, on either side") {
  const auto doubtful = [](const std::string& renewed) { return leader_is_doubtful(lease("s-0", renewed), kAt); };
  CHECK_FALSE(doubtful("2026-11-24T11:59:45Z"));
  CHECK(doubtful("2026-11-24T11:59:44Z"));
  CHECK_FALSE(doubtful("2026-11-24T12:00:15Z"));
  CHECK(doubtful("2026-11-24T12:00:16Z"));
  CHECK(doubtful(""));
  CHECK_FALSE(leader_is_doubtful(missing("lease"), kAt));
}

TEST_CASE("guests whose backups will not be consistent") {
  GuestFacts fine{vmi("db1"), true};
  GuestFacts silent{vmi("db2"), std::nullopt};
  GuestFacts deaf{vmi("web"), std::nullopt};
  deaf.vmi.agent_connected = false;
  GuestFacts forbidding{vmi("rhel"), false};
  GuestFacts out{vmi("test"), std::nullopt};
  out.vmi.metadata.annotations[freeze::kSkipAnnotation] = "true";
  ::test::check_golden("check-guests.txt", to_text(check_guests({fine, silent, deaf, forbidding, out}), false));
}

TEST_CASE("what the guest agent says of the command to freeze") {
  CHECK(takes_freeze(parsed("{'supportedCommands': [{'name': 'guest-fsfreeze-freeze', 'enabled': true}]}")) == true);
  CHECK(takes_freeze(parsed("{'supportedCommands': [{'name': 'guest-fsfreeze-freeze', 'enabled': false}]}")) == false);
  CHECK(takes_freeze(parsed("{'supportedCommands': [{'name': 'guest-ping', 'enabled': true}]}")) == false);
  CHECK_FALSE(takes_freeze(parsed("{}")));
}

TEST_CASE("a dry-run snapshot that was marked, and ones that were not") {
  CHECK(
      check_dry_run(parsed("{'metadata': {'annotations': {'snapfreeze.harvesterhci.io/reason': 'dry-run'}}}")).level ==
      Level::kGood);
  CHECK(check_dry_run(parsed("{'metadata': {'name': 'x'}}")).level == Level::kError);
  CHECK(check_dry_run(parsed("{'metadata': {'annotations': {'snapfreeze.harvesterhci.io/reason': 'busy'}}}")).level ==
        Level::kError);
  CHECK(check_dry_run(denied("volumesnapshots")).level == Level::kUnknown);
  CHECK(check_dry_run(missing("volumesnapshots")).level == Level::kError);
}

}  // namespace
}  // namespace snapfreeze::cli
