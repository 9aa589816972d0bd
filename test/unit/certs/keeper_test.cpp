#include "certs/bundle.h"
#include "certs/key_pair.h"
#include "test/support/catch.h"
#include "test/unit/certs/keeper_rig.h"

using namespace snapfreeze;
using namespace snapfreeze::certs;
using namespace snapfreeze::test;
using namespace std::chrono_literals;

namespace {

int calls(KeeperRig& rig) {
  return rig.cluster.locked([&] { return rig.cluster.faults().calls("sweeper"); });
}

}  // namespace

TEST_CASE("after the installation all is there within seconds, and only caBundle was touched") {
  KeeperRig rig;
  const auto before = rig.cluster.get("admissionregistration.k8s.io/mutatingwebhookconfigurations", "", "snapfreeze");
  rig.settle(5s);
  CHECK(rig.trusted());
  const auto pair = KeyPair::parse(rig.entry("snapfreeze-tls", "tls.crt"), rig.entry("snapfreeze-tls", "tls.key"));
  REQUIRE(pair.ok());
  CHECK((*pair)->serves(kService));
  CHECK(rig.entry("snapfreeze-tls", "ca.crt") == rig.bundle());
  CHECK(rig.secret("snapfreeze-tls")["type"] == "kubernetes.io/tls");
  auto after = rig.cluster.get("admissionregistration.k8s.io/mutatingwebhookconfigurations", "", "snapfreeze");
  after["webhooks"][0]["clientConfig"].erase("caBundle");
  CHECK(after["webhooks"] == before["webhooks"]);
  CHECK(after["metadata"]["labels"] == before["metadata"]["labels"]);
}

TEST_CASE("when all is well a step reads three objects and writes none") {
  KeeperRig rig;
  rig.settle(5s);
  const int before = calls(rig);
  const StepReport report = rig.keeper->step();
  CHECK(calls(rig) == before + 3);
  CHECK(report.done.empty());
  CHECK(report.trouble.empty());
  CHECK(report.wait == 30s);
  CHECK(report.ca_not_after == inspect(rig.entry("snapfreeze-ca", "tls.crt"))->not_after);
  CHECK(report.serving_not_after == inspect(rig.entry("snapfreeze-tls", "tls.crt"))->not_after);
}

TEST_CASE("who does not lead calls nobody; who stops leading between reading and writing writes nothing") {
  KeeperRig rig;
  rig.leads = false;
  CHECK(rig.keeper->step().done.empty());
  CHECK(calls(rig) == 0);
  int asked = 0;
  KeeperSeams seams = rig.seams();
  seams.leads = [&asked] { return asked++ == 0; };
  CHECK(make_self_managed(seams, rig.options)->step().done.empty());
  CHECK(calls(rig) == 3);
}

TEST_CASE("a hand-edited bundle is repaired within half a minute") {
  KeeperRig rig;
  rig.settle(5s);
  const std::string good = rig.bundle();
  for (const std::string& bad :
       {std::string(), std::string("garbage"), make_ca("other", rig.runtime.wall())->certificate}) {
    rig.set_bundle(bad);
    rig.settle(31s);
    CHECK(rig.bundle() == good);
  }
}

TEST_CASE("a Secret that is lost or garbled is made again, and what is served stays trusted") {
  KeeperRig rig;
  rig.settle(5s);
  const std::string served = rig.entry("snapfreeze-tls", "tls.crt");
  SECTION("the leaf is lost") {
    rig.remove_secret("snapfreeze-tls");
  }
  SECTION("the leaf is garbled") {
    rig.set_entry("snapfreeze-tls", "tls.crt", "-----BEGIN");
  }
  SECTION("the leaf has another's key") {
    rig.set_entry("snapfreeze-tls", "tls.key", make_ca("other", rig.runtime.wall())->key);
  }
  SECTION("the CA is lost") {
    rig.remove_secret("snapfreeze-ca");
  }
  SECTION("the CA is garbled") {
    rig.set_entry("snapfreeze-ca", "tls.crt", "-----BEGIN");
  }
  SECTION("both are lost") {
    rig.remove_secret("snapfreeze-ca");
    rig.remove_secret("snapfreeze-tls");
  }
  for (const Mono end = rig.runtime.now() + 10min; rig.runtime.now() < end;) {
    rig.runtime.sleep_for(rig.keeper->step().wait);
    CHECK(check_signed_by(served, rig.bundle()).ok());
  }
  CHECK(rig.trusted());
}

// As `helm upgrade --force`, `kubectl replace` and Argo CD's Replace=true do with the manifests of the chart.
TEST_CASE("what a replace wipes is back within seconds, so that the leaf that is served stays trusted") {
  KeeperRig rig;
  rig.options.look = 5s;
  rig.keeper = rig.self_managed();
  rig.settle(20s);
  const std::string served = rig.entry("snapfreeze-tls", "tls.crt");
  const std::string key = rig.entry("snapfreeze-ca", "tls.key");
  const std::string bundle = rig.bundle();
  const auto put = [&](const std::string& path, const cluster::Json& object) {
    REQUIRE(rig.cluster.call("helm", "PUT", path, object).status == 200);
  };
  for (const std::string name : {"snapfreeze-ca", "snapfreeze-tls"}) {
    cluster::Json secret = rig.secret(name);
    secret.erase("data");
    put("/api/v1/namespaces/snapfreeze-system/secrets/" + name, secret);
    CHECK(rig.entry(name, "tls.crt").empty());
  }
  const std::string configurations = "admissionregistration.k8s.io/mutatingwebhookconfigurations";
  cluster::Json registration = rig.cluster.get(configurations, "", "snapfreeze");
  registration["webhooks"][0]["clientConfig"].erase("caBundle");
  put("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/snapfreeze", registration);
  CHECK(rig.bundle().empty());
  rig.settle(7s);
  CHECK(rig.bundle() == bundle);
  CHECK(rig.entry("snapfreeze-tls", "tls.crt") == served);
  CHECK(rig.entry("snapfreeze-ca", "tls.key") == key);
  CHECK(rig.trusted());
  rig.settle(1min);
  CHECK(rig.keeper->step().trouble.empty());
}

TEST_CASE("a Secret that is deleted gets new keys, and so does one that another leader saw whole") {
  KeeperRig rig;
  rig.settle(5s);
  const std::string key = rig.entry("snapfreeze-ca", "tls.key");
  const auto empty = [&] {
    cluster::Json secret = rig.secret("snapfreeze-ca");
    secret.erase("data");
    rig.cluster.call("helm", "PUT", "/api/v1/namespaces/snapfreeze-system/secrets/snapfreeze-ca", secret);
  };
  SECTION("deleted") {
    rig.remove_secret("snapfreeze-ca");
  }
  SECTION("emptied while another one led") {
    rig.leads = false;
    (void)rig.keeper->step();
    empty();
    rig.leads = true;
  }
  rig.settle(1min);
  CHECK_FALSE(rig.entry("snapfreeze-ca", "tls.key").empty());
  CHECK(rig.entry("snapfreeze-ca", "tls.key") != key);
}

TEST_CASE("two that both believe to lead do each other no harm") {
  KeeperRig rig;
  const auto other = rig.self_managed();
  for (int i = 0; i < 10; ++i) {
    (void)rig.keeper->step();
    (void)other->step();
  }
  CHECK(rig.trusted());
  const std::string leaf = rig.entry("snapfreeze-tls", "tls.crt");
  for (int i = 0; i < 10; ++i) {
    CHECK(rig.keeper->step().done.empty());
    CHECK(other->step().done.empty());
  }
  CHECK(rig.entry("snapfreeze-tls", "tls.crt") == leaf);
}

TEST_CASE("what cannot be read or written is said by name, and tried again after 1 s, 2 s, 4 s, ... a minute") {
  KeeperRig rig;
  rig.cluster.add_fault(cluster::refusal("sweeper", "create", "/secrets", 403));
  StepReport report = rig.keeper->step();
  CHECK(report.trouble.find("Secret snapfreeze-ca") != std::string::npos);
  CHECK(report.wait == 1s);
  CHECK(rig.keeper->step().wait == 2s);
  for (int i = 0; i < 8; ++i) report = rig.keeper->step();
  CHECK(report.wait == 60s);
  rig.cluster.add_fault(cluster::refusal("sweeper", "get", "/secrets/snapfreeze-tls", 500));
  CHECK(rig.keeper->step().trouble.find("snapfreeze-system/snapfreeze-tls") != std::string::npos);
}

TEST_CASE("a configuration that comes late is published in; until then that is the trouble") {
  KeeperRig rig(1, false);
  StepReport report;
  for (int i = 0; i < 4; ++i) report = rig.keeper->step();
  CHECK(report.trouble.find("no MutatingWebhookConfiguration snapfreeze") != std::string::npos);
  CHECK_FALSE(rig.entry("snapfreeze-tls", "tls.crt").empty());
  rig.register_webhook();
  (void)rig.keeper->step();
  CHECK(rig.trusted());
}

TEST_CASE("labels and entries that others put on a Secret stay") {
  KeeperRig rig;
  rig.create(std::string("/api/v1/namespaces/") + kOwn + "/secrets",
             {{"apiVersion", "v1"},
              {"kind", "Secret"},
              {"type", "Opaque"},
              {"metadata", {{"name", "snapfreeze-tls"}, {"labels", {{"mine", "yes"}}}}},
              {"data", {{"other", "YQ=="}}}});
  rig.settle(5s);
  CHECK(rig.trusted());
  CHECK(rig.secret("snapfreeze-tls")["metadata"]["labels"]["mine"] == "yes");
  CHECK(rig.entry("snapfreeze-tls", "other") == "a");
}

TEST_CASE("from a Secret of somebody else's, only the bundle is kept") {
  KeeperRig rig;
  rig.keeper = make_from_secret(rig.seams(), rig.options);
  const auto put = [&](const PemPair& ca) {
    const PemPair leaf = issue_serving(ca, rig.options.rules.names, rig.runtime.wall()).value();
    rig.set_entry("snapfreeze-tls", "tls.crt", leaf.certificate);
    rig.set_entry("snapfreeze-tls", "tls.key", leaf.key);
    rig.set_entry("snapfreeze-tls", "ca.crt", ca.certificate);
  };
  CHECK(rig.keeper->step().trouble.find("snapfreeze-tls: ca.crt") != std::string::npos);
  rig.create(std::string("/api/v1/namespaces/") + kOwn + "/secrets",
             {{"apiVersion", "v1"}, {"kind", "Secret"}, {"metadata", {{"name", "snapfreeze-tls"}}}});
  const PemPair first = make_ca("first", rig.runtime.wall()).value();
  put(first);
  rig.settle(1s);
  CHECK(rig.bundle() == first.certificate);
  CHECK(rig.secret("snapfreeze-ca").is_null());

  const PemPair second = make_ca("second", rig.runtime.wall()).value();
  put(second);
  rig.settle(9min);
  CHECK(rig.bundle() == second.certificate + first.certificate);
  rig.settle(2min);
  CHECK(rig.bundle() == second.certificate);

  const PemPair elsewhere = issue_serving(second, {{"webhook.elsewhere.svc"}, {}}, rig.runtime.wall()).value();
  rig.set_entry("snapfreeze-tls", "tls.crt", elsewhere.certificate);
  CHECK(rig.keeper->step().trouble.find(", but for webhook.elsewhere.svc") != std::string::npos);
  rig.set_entry("snapfreeze-tls", "ca.crt", first.certificate);
  CHECK(rig.keeper->step().trouble.find("snapfreeze-tls: tls.crt: the certificate of CN=") != std::string::npos);
  CHECK(rig.bundle() == second.certificate);
}
