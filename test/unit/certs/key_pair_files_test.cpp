#include "certs/key_pair_files.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "test/support/catch.h"
#include "test/unit/certs/now.h"

using namespace snapfreeze;
using namespace snapfreeze::certs;

namespace {

const std::string kName = "webhook.snapfreeze.svc";

// A mounted Secret as the kubelet's atomic writer lays it out: the files are links through ..data, which is swapped.
class MountedSecret {
 public:
  MountedSecret() : folder_(std::filesystem::temp_directory_path() / ("secret-" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    std::filesystem::create_symlink("..data/tls.crt", folder_ / "tls.crt");
    std::filesystem::create_symlink("..data/tls.key", folder_ / "tls.key");
  }
  ~MountedSecret() { std::filesystem::remove_all(folder_); }

  void replace(const PemPair& pair) {
    const std::string version = ".." + std::to_string(++version_);
    std::filesystem::create_directory(folder_ / version);
    std::ofstream(folder_ / version / "tls.crt") << pair.certificate;
    std::ofstream(folder_ / version / "tls.key") << pair.key;
    std::filesystem::create_symlink(version, folder_ / "..new");
    std::filesystem::rename(folder_ / "..new", folder_ / "..data");
  }

  [[nodiscard]] KeyPairFilesOptions options() const { return {folder_ / "tls.crt", folder_ / "tls.key", kName}; }

 private:
  const std::filesystem::path folder_;
  int version_ = 0;
};

struct Fixture {
  PemPair ca = make_ca("CA", kNow).value();
  MountedSecret secret;
  CertHolder holder;
  KeyPairFiles files{secret.options(), holder};

  PemPair issue(Wall now = kNow, const std::string& name = kName) const {
    return issue_serving(ca, {{name}, {}}, now).value();
  }
  [[nodiscard]] std::string served() const {
    return holder.current() ? holder.current()->info().serial : std::string("none");
  }
};

std::string serial(const PemPair& pair) {
  return inspect(pair.certificate)->serial;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "A key pair is loaded once and its expiry reported at each poll") {
  const PemPair pair = issue();
  secret.replace(pair);

  const KeyPairReport first = files.poll(kNow);
  const KeyPairReport second = files.poll(kNow);

  CHECK(first.loaded);
  CHECK(first.news);
  CHECK(served() == serial(pair));
  CHECK_FALSE(second.loaded);
  CHECK_FALSE(second.news);
  CHECK(second.not_after == kNow + kServingLifetime);
}

TEST_CASE_METHOD(Fixture, "A swapped Secret is served at the next poll") {
  secret.replace(issue());
  REQUIRE(files.poll(kNow).loaded);
  const PemPair renewed = issue();
  secret.replace(renewed);

  CHECK(files.poll(kNow).loaded);
  CHECK(served() == serial(renewed));
}

TEST_CASE_METHOD(Fixture, "A bad pair keeps the last good one, is reported once as news, and is mended by a good one") {
  const PemPair good = issue();
  secret.replace(good);
  REQUIRE(files.poll(kNow).loaded);

  const PemPair foreign_key{issue().certificate, issue().key};
  const PemPair expired = issue(kNow - std::chrono::hours(31 * 24));
  const PemPair early = issue(kNow + std::chrono::hours(2));
  const PemPair other_name = issue(kNow, "other.svc");
  const PemPair garbled{"nonsense", "nonsense"};
  const auto [bad, reason] = GENERATE_REF(table<PemPair, std::string>({
      {foreign_key, "the private key is not that of the certificate"},
      {expired, "the certificate expired at 2027-01-14T08:00:00Z"},
      {early, "the certificate is not valid before 2027-01-15T09:00:00Z"},
      {other_name, "the certificate has no subject alternative name for webhook.snapfreeze.svc"},
      {garbled, "no PEM block \"BEGIN CERTIFICATE\" in it"},
  }));
  secret.replace(bad);

  const KeyPairReport report = files.poll(kNow);
  INFO(report.trouble);
  CHECK_FALSE(report.loaded);
  CHECK(report.trouble.find(reason) != std::string::npos);
  CHECK(report.trouble.find("tls.crt") != std::string::npos);
  CHECK(report.news);
  CHECK_FALSE(files.poll(kNow).news);
  CHECK(served() == serial(good));

  const PemPair mended = issue();
  secret.replace(mended);
  CHECK(files.poll(kNow).trouble.empty());
  CHECK(served() == serial(mended));
}

TEST_CASE_METHOD(Fixture, "A pair that is not valid yet is taken when its time has come") {
  secret.replace(issue(kNow + std::chrono::hours(2)));

  CHECK_FALSE(files.poll(kNow).loaded);
  CHECK(files.poll(kNow + std::chrono::hours(1)).loaded);
}

TEST_CASE_METHOD(Fixture, "A served pair that expires is reported, and served on for want of a better one") {
  const PemPair pair = issue();
  secret.replace(pair);
  REQUIRE(files.poll(kNow).trouble.empty());

  CHECK(files.poll(kNow + kServingLifetime).trouble.find("the certificate expired at") != std::string::npos);
  CHECK(served() == serial(pair));
}

TEST_CASE_METHOD(Fixture, "Missing files are named, and nothing is served until they come") {
  const KeyPairReport report = files.poll(kNow);

  CHECK(report.trouble.find("tls.crt: No such file or directory") != std::string::npos);
  CHECK_FALSE(report.not_after.has_value());
  CHECK(served() == "none");
}

TEST_CASE_METHOD(Fixture, "A file without end is not read to its end") {
  KeyPairFiles endless({"/dev/zero", "/dev/zero", ""}, holder);

  CHECK(endless.poll(kNow).trouble.find("larger than 64 KiB") != std::string::npos);
}
