// `snapfreeze drain` over TLS, against the embedded cluster.
#include <nlohmann/json.hpp>

#include "test/support/catch.h"
#include "test/unit/cli/installed.h"

namespace {

using test::Installed;
using test::Run;
using test::says;

constexpr int kPatience = 60;

std::size_t held_disks(Installed& installed) {
  const auto list =
      installed.sandbox.call("admin", "GET", "/apis/snapshot.storage.k8s.io/v1/namespaces/vms/volumesnapshots");
  return nlohmann::json::parse(list.body).at("items").size();
}

TEST_CASE("drain waits until a backup has its verdict, and then nothing freezes any more") {
  Installed installed;
  installed.sandbox.control("POST", "storage", {{"style", "longhorn"}, {"cut", 3000}});
  installed.back_up("b1");
  const Run elsewhere = installed.run("drain --system-namespace snapfreze");
  CHECK(elsewhere.status == 2);
  CHECK(says(elsewhere, "--system-namespace is snapfreze, but the webhook is registered for namespace snapfreeze"));
  CHECK(installed.sandbox.call("admin", "GET", test::kRegistration).status == 200);
  // All its disks are admitted; one that came later would have no webhook.
  REQUIRE(installed.wait([&] { return held_disks(installed) == 3; }));
  const Run run = installed.run("drain", "admin", kPatience);
  CAPTURE(run.said);
  CHECK(run.status == 0);
  CHECK(says(run, "waiting for vms/db ("));
  CHECK(says(run, "No guest is held: snapfreeze can be removed."));
  CHECK(installed.consistency("b1") == "filesystem");
  CHECK(installed.sandbox.call("admin", "GET", test::kRegistration).status == 404);

  const Run blind = installed.run("drain");
  CHECK(blind.status == 2);
  CHECK(says(blind, "--system-namespace must say where snapfreeze is installed"));
}

TEST_CASE("drain by somebody who may not changes nothing") {
  Installed installed;
  installed.sandbox.control("POST", "access",
                            {{"user", "tenant"}, {"resource", "mutatingwebhookconfigurations"}, {"verb", "delete"}});
  const Run run = installed.run("drain", "tenant");
  CHECK(run.status == 3);
  CHECK(says(run, "mutatingwebhookconfigurations"));
  CHECK(installed.sandbox.call("admin", "GET", test::kRegistration).status == 200);
  CHECK(installed.run("drain --wait 1s").status == 2);
}

}  // namespace
