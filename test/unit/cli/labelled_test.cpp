// Which snapshots of one label are one backup.
#include "cli/shared/labelled.h"

#include "freeze/names.h"
#include "test/support/catch.h"

namespace snapfreeze::cli {
namespace {

using Groups = std::vector<std::vector<std::size_t>>;

kube::Metadata made(std::chrono::minutes at, const std::string& session, const std::string& vm = "db1") {
  kube::Metadata metadata;
  metadata.creation_timestamp = Wall(std::chrono::hours(24 * 365 * 56)) + at;
  if (!session.empty()) metadata.labels[freeze::kEpochLabel] = session;
  if (!vm.empty()) metadata.annotations[freeze::kVmAnnotation] = vm;
  return metadata;
}

Groups groups(const std::vector<kube::Metadata>& snapshots) {
  std::vector<const kube::Metadata*> all;
  for (const kube::Metadata& one : snapshots) all.push_back(&one);
  return backups_of_label(all);
}

using std::chrono::hours;
using std::chrono::minutes;

TEST_CASE("the same label on another night is another backup") {
  CHECK(groups({made(hours(48), "c"), made(hours(0), "a"), made(hours(24), "b"), made(hours(24), "b")}) ==
        Groups{{1}, {2, 3}, {0}});
  // Whether or not it was frozen for.
  CHECK(groups({made(hours(0), "none"), made(hours(24), "none")}) == Groups{{0}, {1}});
  CHECK(groups({made(hours(0), "offline"), made(minutes(9), "offline")}) == Groups{{0, 1}});
}

TEST_CASE("what came later than its session, or was never admitted, is of the same backup") {
  CHECK(groups({made(minutes(0), "a"), made(minutes(0), "a"), made(minutes(1), "none"), made(minutes(2), "")}) ==
        Groups{{0, 1, 2, 3}});
  CHECK(groups({made(minutes(0), "a"), made(minutes(0), "", "")}) == Groups{{0, 1}});
}

TEST_CASE("two sessions soon after one another are two backups") {
  CHECK(groups({made(minutes(0), "a"), made(minutes(3), "b"), made(minutes(3), "b")}) == Groups{{0}, {1, 2}});
}

TEST_CASE("a label backup is one VM's") {
  CHECK(groups({made(minutes(0), "a", "db1"), made(minutes(0), "b", "web"), made(minutes(0), "a", "db1")}) ==
        Groups{{0, 2}, {1}});
}

TEST_CASE("of nothing there is none") {
  CHECK(groups({}).empty());
}

}  // namespace
}  // namespace snapfreeze::cli
