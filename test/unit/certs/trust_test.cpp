#include "certs/trust.h"

#include "base/file.h"
#include "certs/authority.h"
#include "test/support/catch.h"
#include "test/unit/certs/now.h"

using namespace snapfreeze;
using namespace snapfreeze::certs;

namespace {

constexpr char kHost[] = "webhook.snapfreeze.svc";
const Wall kToday = kNow;

std::string pem(const std::string& name) {
  return read_file(std::string(SNAPFREEZE_SOURCE_DIR "/test/unit/certs/testdata/") + name + ".pem").value();
}

// "" when it is trusted.
std::string trouble(const std::string& served, const std::string& bundle, const std::string& host = kHost,
                    Wall now = kToday) {
  const auto trusted = check_trusted(served, bundle, host, now);
  return trusted ? "" : trusted.error().message;
}

bool says(const std::string& text, const std::string& part) {
  CAPTURE(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("what a root has signed is trusted by way of the CAs that are served with it") {
  CHECK(trouble(pem("webhook") + pem("issuing"), pem("root")).empty());
  CHECK(
      says(trouble(pem("webhook"), pem("root")), "CN=webhook, whose issuer is CN=company issuing, is not accepted: "));
  CHECK(trouble(pem("webhook"), pem("issuing")).empty());  // a CA that is no root is trusted if the bundle has it
  CHECK(trouble(pem("webhook"), pem("root") + pem("issuing")).empty());
}

TEST_CASE("a certificate is trusted for its DNS names only") {
  const std::string served = pem("webhook") + pem("issuing");
  CHECK(trouble(served, pem("root"), "a.example.org").empty());
  CHECK(trouble(served, pem("root"), "").empty());
  const std::string other = trouble(served, pem("root"), "webhook.default.svc");
  CHECK(says(other, "is not for webhook.default.svc, but for webhook.snapfreeze.svc, *.example.org"));
  CHECK_FALSE(trouble(served, pem("root"), "a.b.example.org").empty());
  CHECK(says(trouble(pem("unnamed"), pem("issuing")), "but for no DNS name"));
}

TEST_CASE("a certificate of a client is not one of a server") {
  CHECK(says(trouble(pem("client"), pem("issuing")), "CN=client"));
}

TEST_CASE("a certificate is trusted from its first to its last day") {
  const std::string served = pem("webhook");
  CHECK(says(trouble(served, pem("issuing"), kHost, kToday + std::chrono::hours(24 * 36600)), "expired"));
  CHECK(says(trouble(served, pem("issuing"), kHost, kToday - std::chrono::hours(24 * 365 * 10)), "not yet valid"));
}

TEST_CASE("our own certificates are trusted, also beside a CA of the same name") {
  const PemPair ca = make_ca("snapfreeze CA", kToday).value();
  const PemPair namesake = make_ca("snapfreeze CA", kToday).value();
  const PemPair leaf = issue_serving(ca, {{kHost}, {}}, kToday).value();
  CHECK(trouble(leaf.certificate, ca.certificate).empty());
  CHECK(trouble(leaf.certificate, namesake.certificate + ca.certificate).empty());
  CHECK_FALSE(trouble(leaf.certificate, namesake.certificate).empty());
}

TEST_CASE("what is no certificate is trusted by nobody") {
  CHECK_FALSE(trouble("", pem("root")).empty());
  CHECK_FALSE(trouble(pem("webhook"), "").empty());
}
