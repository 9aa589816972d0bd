#include "kube/token_source.h"

#include "test/support/catch.h"
#include "test/unit/kube/directory.h"

namespace snapfreeze::kube {
namespace {

TEST_CASE("A token that rotates is seen within seconds, and a bad one never used") {
  const Directory directory;
  const std::string file = directory.write("token", "first\n");
  TokenSource source("", file);
  Mono now{std::chrono::hours(1)};
  CHECK(source.token(now) == "first");
  directory.write("token", "second");
  CHECK(source.token(now + Millis(4999)) == "first");
  CHECK(source.token(now += TokenSource::kReadAgain) == "second");
  for (const char* bad : {"", "two\nlines", "a b"}) {
    directory.write("token", bad);
    CHECK(source.token(now += TokenSource::kReadAgain) == "second");
  }
  std::filesystem::remove(file);
  CHECK(source.token(now += TokenSource::kReadAgain) == "second");
}

TEST_CASE("A token without a file stays") {
  TokenSource source("fixed", "");
  CHECK(source.token(Mono{std::chrono::hours(1)}) == "fixed");
}

}  // namespace
}  // namespace snapfreeze::kube
