// How a backup is explained, of facts that are written down here.
#include "cli/explain/explain.h"

#include "base/time.h"
#include "freeze/names.h"
#include "test/support/catch.h"
#include "test/unit/cli/program.h"

namespace snapfreeze::cli {
namespace {

using std::chrono::seconds;

const Wall kBegin = *parse_time("2026-11-24T02:00:00Z");
constexpr char kEpoch[] = "8f1d2c3a-0000-4000-8000-000000000001";

DiskFacts disk(int number, const std::string& consistency, std::optional<Millis> cut, const std::string& reason = "") {
  DiskFacts facts{"nightly-disk-" + std::to_string(number), kube::SnapshotView{}, std::nullopt, std::nullopt};
  kube::Metadata& meta = facts.view->metadata;
  meta.name = facts.snapshot;
  meta.creation_timestamp = kBegin + seconds(number / 2);
  meta.labels[freeze::kEpochLabel] = kEpoch;
  meta.annotations[freeze::kVmAnnotation] = "db1";
  if (!consistency.empty()) meta.annotations[freeze::kConsistency] = consistency;
  if (!reason.empty()) meta.annotations[freeze::kReason] = reason;
  if (cut) facts.captured_by_storage = Capture{"Longhorn", kBegin + *cut};
  return facts;
}

ExplainFacts backup(const std::string& consistency, const std::string& reason = "") {
  ExplainFacts facts;
  facts.now = kBegin + std::chrono::minutes(5);
  facts.namespace_ = "prod";
  facts.name = "nightly";
  facts.backup.emplace();
  facts.backup->source_name = "db1";
  kube::Metadata& meta = facts.backup->metadata;
  meta.creation_timestamp = kBegin;
  if (!consistency.empty()) meta.annotations[freeze::kConsistency] = consistency;
  if (!reason.empty()) meta.annotations[freeze::kReason] = reason;
  return facts;
}

ExplainFacts consistent() {
  ExplainFacts facts = backup("filesystem");
  facts.backup->metadata.annotations[freeze::kFrozenFor] = "1.42s";
  facts.disks = {disk(0, "filesystem", Millis(1250)), disk(1, "filesystem", Millis(1312)),
                 disk(2, "filesystem", Millis(1490))};
  facts.events = {{kBegin + Millis(1600), "FilesystemConsistent",
                   "all disks were captured while frozen; the guest was frozen for at most 1.42s"}};
  return facts;
}

ExplainFacts torn() {
  ExplainFacts facts = backup("crash", "cut-too-late");
  facts.backup->metadata.annotations[freeze::kFrozenFor] = "30.1s";
  facts.disks = {disk(0, "filesystem", Millis(1250)),
                 disk(1, "crash", Millis(41000), "cut-too-late"),
                 disk(2, "crash", std::nullopt, "not-captured"),
                 {"nightly-disk-3", {}, {}, {}}};
  facts.disks[2].view->error = "the pool is full";
  return facts;
}

TEST_CASE("a backup that is consistent") {
  const Explanation explanation = explain(consistent());
  CHECK(explanation.consistent());
  ::test::check_golden("explain-filesystem.txt", to_text(explanation, false));
  ::test::check_golden("explain-filesystem.svg", to_svg({explanation.lane}));
  // As it was proven, although the clocks would put the last cut after the thaw.
  CHECK(explanation.lane.covered() == 3);
}

TEST_CASE("a backup that is not, and why") {
  const Explanation explanation = explain(torn());
  CHECK_FALSE(explanation.consistent());
  ::test::check_golden("explain-crash.txt", to_text(explanation, false));
  ::test::check_golden("explain-crash.svg", to_svg({explanation.lane}));
  CHECK(explanation.lane.covered() == 1);
}

TEST_CASE("a backup for which the guest is frozen still") {
  ExplainFacts facts = backup("");
  facts.now = kBegin + seconds(4);
  facts.disks = {disk(0, "", Millis(900)), disk(1, "", std::nullopt)};
  facts.session.emplace();
  facts.session->uid = kEpoch;
  facts.session->created = kBegin;
  facts.session->timer = seconds(30);
  facts.session->frozen_by = kBegin + Millis(800);
  const Explanation explanation = explain(facts);
  CHECK_FALSE(explanation.consistent());
  ::test::check_golden("explain-frozen.txt", to_text(explanation, false));
  CHECK_FALSE(explanation.lane.frozen.front().until);
}

TEST_CASE("labelled snapshots are worth what the worst of them is, once all have a verdict") {
  ExplainFacts facts = torn();
  facts.backup.reset();
  facts.disks.pop_back();
  CHECK(explain(facts).title == "labelled snapshots prod/nightly of VM db1");
  CHECK(explain(facts).consistency == "crash");
  CHECK(explain(facts).reason == "cut-too-late");
  facts.disks.push_back(disk(4, "filesystem", Millis(100)));
  CHECK(explain(facts).consistency == "crash");
  facts.disks.push_back(disk(5, "", Millis(100)));
  CHECK(explain(facts).consistency.empty());
}

TEST_CASE("each reason is explained, and what nobody has said is not made up") {
  CHECK(explain(backup("crash", "no-agent")).why.starts_with("no-agent: the guest agent is not connected"));
  CHECK(explain(backup("crash", "made up")).why == "made up");
  CHECK(explain(backup("offline")).consistent());
  CHECK(explain(backup("")).why.starts_with("not known"));
}

TEST_CASE("a storage whose clock says 1970 gives no time") {
  ExplainFacts facts = consistent();
  facts.disks = {disk(0, "filesystem", Millis(0))};
  facts.disks[0].captured_by_storage->at = Wall(seconds(7));
  facts.disks[0].captured_by_snapshot.reset();
  CHECK(to_text(explain(facts), false).find("1970") == std::string::npos);
  CHECK(to_text(explain(facts), false).find("at an unknown time") != std::string::npos);
}

TEST_CASE("a picture stays well-formed whatever stands in an annotation") {
  ExplainFacts facts = backup("crash", "</text><script>&\x01");
  facts.disks = {disk(0, "crash", Millis(10))};
  const std::string svg = to_svg({explain(facts).lane});
  CHECK(svg.find("<script>") == std::string::npos);
  CHECK(svg.find("&lt;/text>&lt;script>&amp;?") != std::string::npos);
}

}  // namespace
}  // namespace snapfreeze::cli
