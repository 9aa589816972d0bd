// `snapfreeze certs` over TLS, against the embedded cluster: no sweeper runs that would do what is done here by hand.
#include <nlohmann/json.hpp>

#include "test/support/catch.h"
#include "test/unit/cli/installed.h"

namespace {

using nlohmann::json;
using test::Installed;
using test::Run;
using test::says;

constexpr char kCa[] = "/api/v1/namespaces/snapfreeze/secrets/snapfreeze-ca";

json object_at(Installed& installed, const std::string& path) {
  return json::parse(installed.sandbox.call("admin", "GET", path).body);
}

// As the sweeper that leads would.
void trust_the_stored_ca(Installed& installed) {
  json registration = object_at(installed, test::kRegistration);
  const json secret = object_at(installed, kCa);
  for (json& webhook : registration["webhooks"]) webhook["clientConfig"]["caBundle"] = secret["data"]["tls.crt"];
  CHECK(installed.sandbox.call("admin", "PUT", test::kRegistration, registration).status == 200);
}

TEST_CASE("certificates are made, published and looked at by hand") {
  Installed installed(false);
  installed.sandbox.processes().at("sweeper-0").end();
  const auto certs = [&](const std::string& command, const std::string& user = "admin") {
    return installed.run("certs " + command + " --namespace snapfreeze --service snapfreeze", user);
  };
  Run run = certs("show");
  CAPTURE(run.said);
  CHECK(run.status == 1);
  CHECK(says(run, "CA            none"));
  CHECK(says(run, "there is no MutatingWebhookConfiguration snapfreeze"));

  installed.sandbox.register_webhooks();
  run = certs("rotate");
  CHECK(run.status == 0);
  CHECK(says(run, "A new CA is stored beside the old one"));
  CHECK(certs("show").status == 1);  // there is no certificate yet
  run = certs("issue");
  CHECK(run.status == 1);
  CHECK(says(run, "does not trust the CA yet"));

  trust_the_stored_ca(installed);
  run = certs("issue");
  CHECK(run.status == 0);
  CHECK(says(run, "issued"));
  run = certs("show");
  CHECK(run.status == 0);
  CHECK(says(run, "  for         snapfreeze.snapfreeze.svc\n"));
  CHECK(says(run, "trusts the certificate"));

  // Another CA: what it signs is not trusted until it is published.
  CHECK(certs("rotate").status == 0);
  run = certs("show");
  CHECK(run.status == 0);
  CHECK(says(run, "  before it"));
  run = certs("show --connect 127.0.0.1:1");
  CHECK(run.status == 1);
  CHECK(says(run, "served"));

  run = installed.run("certs rotate --namespace default");
  CHECK(run.status == 1);
  CHECK(says(run, "--namespace must name the namespace in which snapfreeze is installed"));
  CHECK(installed.sandbox.call("admin", "GET", "/api/v1/namespaces/default/secrets/snapfreeze-ca").status == 404);

  json ca = object_at(installed, kCa);
  ca["metadata"].erase("labels");  // as cert-manager makes it
  CHECK(installed.sandbox.call("admin", "PUT", kCa, ca).status == 200);
  run = certs("rotate");
  CHECK(run.status == 1);
  CHECK(says(run, "snapfreeze/snapfreeze-ca was not made by snapfreeze"));
  CHECK(certs("issue").status == 1);

  installed.sandbox.control("POST", "access", {{"user", "tenant"}, {"resource", "secrets"}});
  run = certs("rotate", "tenant");
  CHECK(run.status == 1);
  CHECK(says(run, "secrets"));
  CHECK(certs("forge").status == 2);
}

}  // namespace
