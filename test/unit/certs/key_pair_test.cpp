#include "certs/key_pair.h"

#include "test/support/catch.h"
#include "test/unit/certs/now.h"

using namespace snapfreeze;
using namespace snapfreeze::certs;

namespace {

// Made with `openssl genpkey -algorithm EC -aes-256-cbc`, password "secret".
constexpr const char* kEncryptedKey = R"(-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgyPYd9S25MpAICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEJGHG5173oTHMEFysvDLnx0EgZC5
0LXXZmfbi3eN6jAJtXTkwaH07grteQciijLCvrKBYvcONMxF23szZuHSqJ++fo98
kB6Skvq+sX9L30iCQdGzNtq32z9rgHPUR2UCwajCLfmz6QphHup5eT9z5LxAzRKy
zH4LORumq3ej4oBvGToGo76ocGWPnfnlfIrGfByak6S/YQg9n/CZJ2LW1pXg0mI=
-----END ENCRYPTED PRIVATE KEY-----
)";

std::string why_not(const std::string& certificate, const std::string& key) {
  const auto pair = KeyPair::parse(certificate, key);
  REQUIRE_FALSE(pair.ok());
  CHECK(pair.error().code == Code::kMalformed);
  return pair.error().message;
}

}  // namespace

TEST_CASE("A key pair serves the names of its certificate, wildcards included, and no others") {
  const PemPair ca = make_ca("CA", kNow).value();
  const PemPair pem = issue_serving(ca, {{"a.svc", "*.b.svc"}, {"10.0.0.1"}}, kNow).value();
  const auto pair = KeyPair::parse(pem.certificate, pem.key).value();

  CHECK(pair->serves("a.svc"));
  CHECK(pair->serves("x.b.svc"));
  CHECK(pair->serves("10.0.0.1"));
  CHECK_FALSE(pair->serves("c.svc"));
  CHECK_FALSE(pair->serves("10.0.0.2"));
}

TEST_CASE("A common name is no name to serve") {
  const PemPair ca = make_ca("ca.svc", kNow).value();

  CHECK_FALSE(KeyPair::parse(ca.certificate, ca.key).value()->serves("ca.svc"));
}

TEST_CASE("Damaged, foreign and encrypted key pairs are refused with their reason") {
  const PemPair ca = make_ca("CA", kNow).value();
  const PemPair pem = issue_serving(ca, {{"a.svc"}, {}}, kNow).value();
  std::string damaged = pem.certificate;
  damaged.erase(100, 40);

  CHECK(why_not("", pem.key) == "certificate: no PEM block \"BEGIN CERTIFICATE\" in it");
  CHECK(why_not(damaged, pem.key).starts_with("certificate: a PEM certificate is damaged"));
  CHECK(why_not(pem.certificate + damaged, pem.key).starts_with("certificate: a PEM certificate is damaged"));
  CHECK(why_not(pem.certificate, "").starts_with("private key: no unencrypted private key in PEM in it"));
  CHECK(why_not(pem.certificate, kEncryptedKey).starts_with("private key: no unencrypted private key in PEM in it"));
  CHECK(why_not(pem.certificate, ca.key).starts_with("the private key is not that of the certificate"));
}

TEST_CASE("Every prefix of a key pair is refused without harm") {
  const PemPair pem = make_ca("CA", kNow).value();

  for (std::size_t size = 0; size + 30 < pem.certificate.size(); ++size) {
    CHECK_FALSE(KeyPair::parse(pem.certificate.substr(0, size), pem.key).ok());
  }
}
