#include "certs/authority.h"

#include "test/support/catch.h"
#include "test/unit/certs/now.h"

using namespace snapfreeze;
using namespace snapfreeze::certs;

namespace {

PemPair ca_at(Wall now) {
  return make_ca("snapfreeze CA", now).value();
}

PemPair serving_at(const PemPair& ca, Wall now) {
  return issue_serving(ca, {{"webhook.snapfreeze.svc"}, {"10.0.0.1", "fd00::1"}}, now).value();
}

}  // namespace

TEST_CASE("A CA is a CA, for a year, from an hour back") {
  const CertificateInfo info = inspect(ca_at(kNow).certificate).value();

  CHECK(info.subject == "CN=snapfreeze CA");
  CHECK(info.issuer == info.subject);
  CHECK(info.is_ca);
  CHECK(info.not_before == kNow - std::chrono::hours(1));
  CHECK(info.not_after == kNow + std::chrono::hours(365 * 24));
}

TEST_CASE("A serving certificate carries its names, for 30 days, from an hour back") {
  const CertificateInfo info = inspect(serving_at(ca_at(kNow), kNow).certificate).value();

  CHECK(info.subject == "CN=webhook.snapfreeze.svc");
  CHECK(info.issuer == "CN=snapfreeze CA");
  CHECK_FALSE(info.is_ca);
  CHECK(info.names.dns == std::vector<std::string>{"webhook.snapfreeze.svc"});
  CHECK(info.names.ip == std::vector<std::string>{"10.0.0.1", "fd00::1"});
  CHECK(info.not_before == kNow - std::chrono::hours(1));
  CHECK(info.not_after == kNow + std::chrono::hours(30 * 24));
}

TEST_CASE("A serving certificate does not outlive its CA") {
  const PemPair ca = ca_at(kNow);
  const Wall late = kNow + std::chrono::hours(360 * 24);

  CHECK(inspect(serving_at(ca, late).certificate)->not_after == inspect(ca.certificate)->not_after);
}

TEST_CASE("Dates beyond 2049 are written as well") {
  const Wall year_2060 = std::chrono::system_clock::from_time_t(2'850'000'000);

  CHECK(inspect(ca_at(year_2060).certificate)->not_before == year_2060 - std::chrono::hours(1));
}

TEST_CASE("No two certificates share a serial") {
  const PemPair ca = ca_at(kNow);

  CHECK(inspect(serving_at(ca, kNow).certificate)->serial != inspect(serving_at(ca, kNow).certificate)->serial);
}

TEST_CASE("A key fits its own certificate only") {
  const PemPair ca = ca_at(kNow);
  const PemPair one = serving_at(ca, kNow);
  const PemPair other = serving_at(ca, kNow);

  CHECK(check_key(one.certificate, one.key).ok());
  CHECK_FALSE(check_key(one.certificate, other.key).ok());
}

TEST_CASE("A certificate is signed by its CA, alone or within a bundle, and by no other of that name") {
  const PemPair ca = ca_at(kNow);
  const PemPair namesake = ca_at(kNow);
  const PemPair serving = serving_at(ca, kNow);

  CHECK(check_signed_by(serving.certificate, ca.certificate).ok());
  CHECK(check_signed_by(serving.certificate, namesake.certificate + ca.certificate).ok());
  const auto refused = check_signed_by(serving.certificate, namesake.certificate);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message.find("CN=webhook.snapfreeze.svc") != std::string::npos);
}

TEST_CASE("A certificate whose signature was tampered with is not signed by its CA") {
  const PemPair ca = ca_at(kNow);
  std::string tampered = serving_at(ca, kNow).certificate;
  char& in_signature = tampered[tampered.rfind("\n-----END") - 12];
  in_signature = in_signature == 'A' ? 'B' : 'A';

  CHECK_FALSE(check_signed_by(tampered, ca.certificate).ok());
}

TEST_CASE("What cannot be a certificate is refused with its reason") {
  const PemPair ca = ca_at(kNow);
  const auto reason = [&](const PemPair& issuer, const SubjectAltNames& names, Wall now) {
    const auto issued = issue_serving(issuer, names, now);
    REQUIRE_FALSE(issued.ok());
    CHECK(issued.error().code == Code::kMalformed);
    return issued.error().message;
  };
  const SubjectAltNames good{{"a.svc"}, {}};

  CHECK(reason(ca, {}, kNow) == "a serving certificate needs at least one DNS name or IP address");
  CHECK(reason(ca, {{"a,DNS:evil"}, {}}, kNow) == "not a DNS name in lower case: \"a,DNS:evil\"");
  CHECK(reason(ca, {{}, {"10.0.0.256"}}, kNow) == "not an IP address: \"10.0.0.256\"");
  CHECK(reason(ca, good, kNow + std::chrono::hours(366 * 24)) == "the CA has expired: CN=snapfreeze CA");
  CHECK(reason(serving_at(ca, kNow), good, kNow) == "not a CA's certificate: CN=webhook.snapfreeze.svc");
  CHECK(reason({ca.certificate, ca_at(kNow).key}, good, kNow).starts_with("CA: the private key is not that of"));
  CHECK(reason({"", ca.key}, good, kNow) == "CA certificate: no PEM block \"BEGIN CERTIFICATE\" in it");
  CHECK_FALSE(make_ca("", kNow).ok());
}

TEST_CASE("A name too long for a common name is served all the same") {
  const std::string name = std::string(63, 'a') + "." + std::string(63, 'b') + ".svc";
  const PemPair serving = issue_serving(ca_at(kNow), {{name}, {}}, kNow).value();

  CHECK(inspect(serving.certificate)->names.dns == std::vector<std::string>{name});
}
