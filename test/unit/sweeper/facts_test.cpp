#include "sweeper/facts.h"

#include "freeze/lease.h"
#include "sweeper/feed.h"
#include "test/support/catch.h"
#include "test/unit/sweeper/build.h"

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace snapfreeze::sweeper;

namespace {

Json parse(const std::string& text) {
  return *Json::parse(text);
}

template <class T>
T read(Kind kind, const std::string& text, ThawOn thaw_on = ThawOn::kCaptured) {
  auto facts = facts_of(kind, parse(text), thaw_on);
  REQUIRE(facts.ok());
  REQUIRE(std::holds_alternative<T>(*facts));
  return std::get<T>(*facts);
}

constexpr char kSnapshot[] = R"({"metadata":{"uid":"u1","namespace":"vms","name":"b1-disk-0",
  "creationTimestamp":"2026-11-23T13:17:00Z",
  "labels":{"snapfreeze.harvesterhci.io/epoch":"epoch-1"},
  "annotations":{"snapfreeze.harvesterhci.io/vm":"vm1","snapfreeze.harvesterhci.io/consistency":"crash",
                 "snapfreeze.harvesterhci.io/reason":"busy"},
  "ownerReferences":[{"apiVersion":"harvesterhci.io/v1beta1","kind":"VirtualMachineBackup","name":"b1","uid":"uid-b1",
                      "controller":true}]},
  "status":{"creationTime":"1970-01-01T00:00:00Z","readyToUse":false}})";

}  // namespace

TEST_CASE("Longhorn's snapshots are watched where Longhorn keeps them, as anybody may have others elsewhere") {
  CHECK(Feed::options(Kind::kLonghornSnapshot, "snapfreeze").collection ==
        "/apis/longhorn.io/v1beta2/namespaces/longhorn-system/snapshots");
  CHECK(Feed::options(Kind::kContent, "snapfreeze").collection ==
        "/apis/snapshot.storage.k8s.io/v1/volumesnapshotcontents");
}

TEST_CASE("a snapshot is read with its epoch, its backup and its verdict") {
  const auto facts = read<SnapshotFacts>(Kind::kSnapshot, kSnapshot);
  CHECK(facts.uid == "u1");
  CHECK(facts.epoch == "epoch-1");
  CHECK(facts.vm == "vm1");
  CHECK(facts.hold->same_backup(harvester_hold()));
  CHECK(facts.verdict == freeze::crash(freeze::reason::kBusy));
  CHECK(facts.created);
}

TEST_CASE("a creation time of 1970 is a capture; with thaw-on=ready only readyToUse is") {
  CHECK(read<SnapshotFacts>(Kind::kSnapshot, kSnapshot).captured);
  CHECK_FALSE(read<SnapshotFacts>(Kind::kSnapshot, kSnapshot, ThawOn::kReady).captured);
}

TEST_CASE("contents and Longhorn's snapshots are cut down to whose they are, and whether they are captured") {
  const auto content = read<CaptureFacts>(
      Kind::kContent, R"({"spec":{"volumeSnapshotRef":{"uid":"u1"}},"status":{"creationTime":1760000000000000000}})");
  CHECK(content.snapshot_uid == "u1");
  CHECK(content.captured);
  const auto longhorn =
      read<CaptureFacts>(Kind::kLonghornSnapshot,
                         R"({"metadata":{"name":"snapshot-u1"},"status":{"requestedTime":"2026-11-23T13:17:00Z"}})");
  CHECK(longhorn.snapshot_uid == "u1");
  CHECK(longhorn.captured);
  const auto recurring = facts_of(Kind::kLonghornSnapshot, parse(R"({"metadata":{"name":"daily-1"}})"), {});
  CHECK(std::holds_alternative<std::monostate>(*recurring));
}

TEST_CASE("a content says what Longhorn calls the volume, until it is cut") {
  const auto volume = [](const std::string& driver, const std::string& source, const std::string& status,
                         const std::string& uid = "u1") {
    const std::string spec =
        R"("volumeSnapshotRef":{"uid":")" + uid + R"("},"driver":")" + driver + R"(","source":)" + source;
    return read<CaptureFacts>(Kind::kContent, R"({"spec":{)" + spec + R"(},"status":)" + status + "}").longhorn_volume;
  };
  constexpr char kVolume[] = R"({"volumeHandle":"pvc-1"})";
  CHECK(volume("driver.longhorn.io", kVolume, "null") == "pvc-1");
  CHECK(volume("driver.longhorn.io", kVolume, R"({"error":{"message":"busy"}})") == "pvc-1");
  CHECK(volume("driver.longhorn.io", kVolume, R"({"creationTime":0})") == "");
  CHECK(volume("driver.longhorn.io", kVolume, "null", "") == "");
  CHECK(volume("driver.longhorn.io", R"({"snapshotHandle":"snap://pvc-1/s"})", "null") == "");
  CHECK(volume("driver.longhorn.io", R"({"volumeHandle":")" + std::string(254, 'v') + R"("})", "null") == "");
  CHECK(volume("hostpath.csi.k8s.io", kVolume, "null") == "");
  CHECK_FALSE(read<CaptureFacts>(Kind::kLonghornSnapshot, R"({"metadata":{"name":"snapshot-u1"}})").longhorn_volume);
}

TEST_CASE("a Lease that names no guest is an error, and no object a crash") {
  CHECK_FALSE(facts_of(Kind::kSession, parse(R"({"metadata":{"name":"odd"}})"), {}).ok());
  for (int kind = 1; kind < kKinds; ++kind) {
    for (const char* text : {"null", "[]", "{}", R"({"metadata":1,"spec":[],"status":"x"})"}) {
      CHECK(facts_of(static_cast<Kind>(kind), parse(text), {}).ok());
    }
  }
}

TEST_CASE("only our own sessions and labelled snapshots are asked for") {
  CHECK(watch_of(Kind::kSession).label_selector == freeze::kSessionLabel);
  CHECK(watch_of(Kind::kSnapshot).label_selector == "snapfreeze.harvesterhci.io/epoch");
  CHECK(watch_of(Kind::kVmi).label_selector.empty());
}
