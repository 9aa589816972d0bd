// Leases that were damaged by hand, or that another version wrote.
#include <random>

#include "test/unit/base/random_json.h"
#include "test/unit/freeze/leases.h"

using namespace snapfreeze;
using freeze::Intent;
using freeze::Phase;
using freeze::Reason;
using freeze::Session;
using namespace test;

TEST_CASE("an armed session without the leader that may thaw it, or without what it waits for, is damaged") {
  Session session = frozen();
  session.phase = Phase::kArmed;
  session.intent = {Intent::Call::kUnfreeze, "sweeper-0", {"uid-1", "uid-2"}};
  REQUIRE(read(lease_of(session)).phase == Phase::kArmed);
  const Json lease = lease_of(session);
  const std::string damage = GENERATE(
      R"({"call":"freeze","by":"sweeper-0","after":["uid-1"]})", R"({"call":"unfreeze","by":"","after":["uid-1"]})",
      R"({"call":"unfreeze","by":"sweeper-0"})", R"({"call":"unfreeze","by":"sweeper-0","after":[]})",
      R"({"call":"unfreeze","by":"sweeper-0","after":"uid-1"})",
      R"({"call":"unfreeze","by":"sweeper-0","after":["uid-1",7]})");
  CAPTURE(damage);
  const Session damaged = read(with_annotation(lease, "intent", Json(damage)));
  CHECK(damaged.phase == Phase::kThawing);
  CHECK(damaged.unsettled);
  CHECK(damaged.doubts == std::vector<Reason>{freeze::reason::kRecordDamaged});
}

// As a version that does not know Armed reads it.
TEST_CASE("a phase that is not known is a session to thaw, with a doubt") {
  const Session unknown = read(with_annotation(lease_of(frozen()), "phase", Json("Primed")));
  CHECK(unknown.phase == Phase::kThawing);
  CHECK(unknown.unsettled);
  CHECK(unknown.doubts == std::vector<Reason>{freeze::reason::kRecordDamaged});
}

TEST_CASE("a Lease damaged in one place becomes a session to thaw, with a doubt") {
  const Json sound = lease_of(frozen());
  REQUIRE(read(sound).doubts.empty());

  const std::vector<std::pair<std::string, std::optional<Json>>> damages = {
      {"phase", std::nullopt},
      {"phase", Json("Melting")},
      {"vmi-uid", std::nullopt},
      {"holds", std::nullopt},
      {"holds", Json("[]")},
      {"holds", Json("[{")},
      {"holds", Json("{}")},
      {"holds", Json(R"([{"kind":"Pod","name":"n"}])")},
      {"holds", Json(R"([{"kind":"Label"}])")},
      {"holds", Json(R"([{"kind":"VirtualMachineBackup","name":"no-uid"}])")},
      {"holds", Json(R"([{"kind":"Label","name":"n","members":"three"}])")},
      {"holds", Json(R"([{"kind":"Label","name":"n","members":-1}])")},
      {"intent", std::nullopt},
      {"intent", Json("freeze")},
      {"intent", Json(R"({"call":"melt"})")},
      {"unsettled", Json("maybe")},
      {"windows", Json("maybe")},
      {"doubts", Json("lapsed")},
      {"doubts", Json("{}")},
      {"doubts", Json("[1]")},
      {"captured", Json("[]")},
      {"captured", Json(R"({"u":"soon"})")},
      {"captured", Json(R"({"u":1.5})")},
      {"frozen-by", Json("yesterday")},
      {"format", Json("0")},
      {"format", Json("-1")},
      {"format", Json("01")},
      {"format", Json("1.5")},
      {"format", Json("two")},
      {"vm", Json("another")},
      {"namespace", Json("another")},
  };
  for (const auto& [name, value] : damages) {
    const Session session = read(with_annotation(sound, name, value));
    CAPTURE(name, value ? value->dump() : "removed");
    CHECK(session.phase == Phase::kThawing);
    CHECK(session.unsettled);
    CHECK(session.doubts == std::vector<freeze::Reason>{freeze::reason::kRecordDamaged});
    CHECK(session.namespace_ == "team-a");
    CHECK(session.vm == "db");
  }
}

TEST_CASE("a Lease whose own fields were damaged is thawed likewise") {
  const Json sound = lease_of(frozen());
  const auto damaged = GENERATE_COPY(values<Json>({
      with(sound, {"spec", "leaseDurationSeconds"}, std::nullopt),
      with(sound, {"spec", "leaseDurationSeconds"}, Json(0)),
      with(sound, {"spec", "leaseDurationSeconds"}, Json("30")),
      with(sound, {"metadata", "creationTimestamp"}, std::nullopt),
      with(sound, {"metadata", "annotations"}, std::nullopt),
  }));
  const Session session = read(damaged);
  CHECK(session.phase == Phase::kThawing);
  CHECK(session.doubts.front() == freeze::reason::kRecordDamaged);
  CHECK(session.vm == "db");
}

TEST_CASE("a Lease of the time before formats had numbers reads as today") {
  const Json lease = lease_of(frozen());
  REQUIRE(lease["metadata"]["annotations"]["snapfreeze.harvesterhci.io/format"].string() == "1");
  CHECK(same_session(read(with_annotation(lease, "format", std::nullopt)), frozen()));
}

TEST_CASE("of a Lease of a newer format only the names and the times are read, whatever else it says") {
  const auto format = GENERATE(as<std::string>{}, "2", "10", "99999999999999999999");
  const Json newer = with_annotation(lease_of(frozen()), "format", Json(format));
  const auto lease = GENERATE_COPY(values<Json>({
      newer,
      with_annotation(newer, "phase", Json("Melting")),
      with_annotation(newer, "phase", Json("Thawing")),
      with_annotation(newer, "holds", Json("a new way to write them")),
      with_annotation(newer, "vm", std::nullopt),
      with(newer, {"spec", "leaseDurationSeconds"}, std::nullopt),
  }));
  const Session session = read(lease);
  CHECK(session.phase == Phase::kNewer);
  CHECK(session.uid == "lease-uid");
  CHECK(session.namespace_ == "team-a");
  CHECK(session.vm == "db");
  CHECK(session.created.has_value());
  CHECK(session.holds.empty());
  CHECK(session.doubts.empty());
}

TEST_CASE("a Lease of a newer format is there even if its guest cannot be told, and no Lease may claim to be so") {
  const Json nameless = with(lease_of(frozen()), {"metadata", "name"}, Json("another-way-to-name-it"));
  CHECK(read(with_annotation(nameless, "format", Json("2"))).phase == Phase::kNewer);
  const Session claims =
      read(with_annotation(lease_of(frozen()), "phase", Json(std::string(to_string(Phase::kNewer)))));
  CHECK(claims.phase == Phase::kThawing);
}

TEST_CASE("a doubt that only a newer version knows is a doubt all the same, and no damage") {
  const Json newer = Json(R"(["from-the-future","lapsed","also-from-there"])");
  const Session session = read(with_annotation(lease_of(frozen()), "doubts", newer));
  CHECK(session.phase == frozen().phase);
  CHECK(session.doubts == std::vector<Reason>{freeze::reason::kUnverified, freeze::reason::kLapsed});
}

TEST_CASE("a damaged record keeps the doubts that were there, and goes on resting") {
  Session session = frozen();
  session.phase = Phase::kResting;
  session.doubt(freeze::reason::kLapsed);
  const Session damaged = read(with_annotation(lease_of(session), "holds", std::nullopt));
  CHECK(damaged.phase == Phase::kResting);
  CHECK(damaged.doubts == std::vector<freeze::Reason>{freeze::reason::kLapsed, freeze::reason::kRecordDamaged});
}

TEST_CASE("a Lease that names no guest is refused by name") {
  const auto* name = GENERATE("nodot", ".vm", "ns.", ".");
  Json lease = with(lease_of(frozen()), {"metadata", "annotations"}, std::nullopt);
  lease = with(lease, {"metadata", "name"}, Json(name));
  const auto session = freeze::from_lease(lease);
  REQUIRE_FALSE(session.ok());
  CHECK(session.error().code == Code::kMalformed);
  CHECK(session.error().message.find(name) != std::string::npos);
}

TEST_CASE("what is no Lease at all is refused, not crashed on") {
  std::mt19937 random(3);
  for (int i = 0; i < 2000; ++i) CHECK_FALSE(freeze::from_lease(test::random_json(random)).ok());
}
