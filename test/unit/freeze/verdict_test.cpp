#include "freeze/verdict.h"

#include <optional>
#include <random>
#include <string>

#include "freeze/names.h"
#include "test/support/catch.h"

using namespace snapfreeze;
using namespace std::chrono_literals;
using freeze::Consistency;
using freeze::judge_backup;
using freeze::judge_snapshot;
using freeze::Session;
using freeze::Verdict;
namespace reason = freeze::reason;

namespace {

constexpr Millis kMargin{1000};
const Verdict kFilesystem{Consistency::kFilesystem};
const Verdict kOffline{Consistency::kOffline};

Session captured(Millis after) {
  Session session;
  session.timer = 30s;
  session.captured["u"] = after;
  return session;
}

}  // namespace

TEST_CASE("a snapshot that was captured before T, less the margin, is consistent") {
  CHECK(judge_snapshot(captured(28999ms), kMargin, "u") == kFilesystem);
  CHECK(judge_snapshot(captured(29s), kMargin, "u") == crash(reason::kCutTooLate));
}

TEST_CASE("a snapshot that was not captured before the thaw is not") {
  CHECK(judge_snapshot(captured(1s), kMargin, "another") == crash(reason::kCutTooLate));
}

TEST_CASE("any doubt about the session goes before all else, the first one as the reason") {
  Session session = captured(1s);
  session.doubt(reason::kLapsed);
  session.doubt(reason::kMigrated);
  CHECK(judge_snapshot(session, kMargin, "u") == crash(reason::kLapsed));
}

TEST_CASE("filesystem is never said with a doubt, without a capture or too late") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    Session session;
    if (random() % 3 == 0) session.doubt(reason::kRestarted);
    const bool seen = random() % 3 != 0;
    const Millis after(random() % 60000);
    session.timer = std::chrono::seconds(random() % 60);
    const Millis margin(random() % 5000);
    if (seen) session.captured["u"] = after;
    const bool provable = session.doubts.empty() && seen && after + margin < session.timer;
    CAPTURE(i);
    REQUIRE((judge_snapshot(session, margin, "u").consistency == Consistency::kFilesystem) == provable);
  }
}

TEST_CASE("a backup is worth what holds for all of its snapshots") {
  const std::vector<std::string> members = {"a", "b"};
  CHECK(judge_backup(members, {{"a", kFilesystem}, {"b", kFilesystem}}) == kFilesystem);
  CHECK(judge_backup(members, {{"a", kOffline}, {"b", kOffline}}) == kOffline);
  CHECK(judge_backup(members, {{"a", kFilesystem}, {"b", crash(reason::kCutTooLate)}}) == crash(reason::kCutTooLate));
}

TEST_CASE("disks at rest beside disks of a frozen guest are of different moments") {
  const std::vector<std::string> members = {"a", "b"};
  CHECK(judge_backup(members, {{"a", kOffline}, {"b", kFilesystem}}) == crash(reason::kStarted));
  CHECK(judge_backup(members, {{"a", kFilesystem}, {"b", kOffline}}) == crash(reason::kStarted));
}

TEST_CASE("a backup of which a snapshot is missing, or that has none, is not consistent") {
  const std::vector<std::string> members = {"a", "b"};
  CHECK(judge_backup(members, {{"a", kFilesystem}}) == crash(reason::kMissing));
  CHECK(judge_backup({}, {}) == crash(reason::kMissing));
}

TEST_CASE("snapshots that are no members do not count") {
  const std::vector<std::string> members = {"a"};
  CHECK(judge_backup(members, {{"a", kFilesystem}, {"z", crash(reason::kLapsed)}}) == kFilesystem);
}

namespace {

kube::Metadata with_annotations(std::string consistency, std::string why) {
  kube::Metadata metadata;
  metadata.annotations = {{freeze::kConsistency, std::move(consistency)}, {freeze::kReason, std::move(why)}};
  return metadata;
}

kube::Metadata written(const std::optional<Verdict>& verdict) {
  kube::Metadata metadata;
  for (const auto& [key, value] : freeze::notes_of(verdict)) {
    if (!value.empty()) metadata.annotations[key] = value;
  }
  return metadata;
}

}  // namespace

TEST_CASE("every verdict is read as it was written") {
  for (const Verdict& verdict : {kFilesystem, kOffline}) CHECK(freeze::read_verdict(written(verdict)) == verdict);
  for (const freeze::ReasonEntry& entry : freeze::kReasons) {
    const Verdict verdict = freeze::crash(freeze::Reason::named(entry.name));
    CHECK(written(verdict).annotation(freeze::kReason) == entry.name);
    CHECK(freeze::read_verdict(written(verdict)) == verdict);
  }
  CHECK_FALSE(freeze::read_verdict(written(std::nullopt)));
}

TEST_CASE("what is no verdict of ours is none that anybody could want") {
  CHECK_FALSE(freeze::read_verdict({}));
  CHECK_FALSE(freeze::read_verdict(with_annotations("", "late")));
  const std::string bare(1, '\0');
  for (const std::string& odd :
       {std::string("Filesystem"), std::string("filesystem "), std::string("filesystem") + bare,
        std::string("consistent"), std::string("true"), bare}) {
    CAPTURE(odd);
    CHECK(freeze::read_verdict(with_annotations(odd, "late")) == crash(reason::kUnverified));
  }
  for (const char* odd : {"", "Late", "late ", "<anything>"}) {
    CAPTURE(odd);
    CHECK(freeze::read_verdict(with_annotations("crash", odd)) == crash(reason::kUnverified));
  }
  CHECK(freeze::read_verdict(with_annotations("filesystem", "late")) == kFilesystem);
}

TEST_CASE("a verdict that was copied from another object is none") {
  kube::Metadata metadata = written(kFilesystem);
  metadata.uid = "uid-1";
  CHECK(freeze::read_verdict(metadata) == kFilesystem);  // of the webhook, or of an earlier version
  metadata.annotations[freeze::kVerdictOf] = "uid-1";
  CHECK(freeze::read_verdict(metadata) == kFilesystem);
  metadata.annotations[freeze::kVerdictOf] = "uid-0";
  CHECK_FALSE(freeze::read_verdict(metadata));
}

TEST_CASE("a reason is one of the table, or none") {
  CHECK_FALSE(freeze::Reason());
  CHECK(freeze::Reason().name().empty());
  CHECK_FALSE(freeze::Reason::named("whatever"));
  CHECK(freeze::Reason::read("whatever") == reason::kUnverified);
  CHECK(freeze::Reason::read("late") == reason::kLate);
  CHECK(reason::kLate == "late");
  CHECK(reason::kLate != reason::kBusy);
  CHECK(reason::kLapsed.rests());
  CHECK_FALSE(reason::kLate.rests());
  CHECK_FALSE(freeze::Reason().rests());
}
