#include "freeze/session.h"

#include <fstream>
#include <random>
#include <span>

#include "freeze/names.h"
#include "test/support/catch.h"
#include "test/unit/base/random_json.h"
#include "test/unit/freeze/views.h"

using namespace snapfreeze;
using namespace std::chrono_literals;
using freeze::Hold;
using freeze::Intent;
using freeze::Phase;
using freeze::Reason;
using freeze::Session;

namespace {

const std::string kPrefix = "snapfreeze.harvesterhci.io/";

// A copy in which one member of the object at `path` is replaced, or removed.
Json changed(const Json& object, std::span<const std::string> path, const std::optional<Json>& value) {
  Json copy = Json::object();
  for (const auto& [key, member] : object.members()) {
    if (key != path.front()) {
      copy.set(key, member);
    } else if (path.size() > 1) {
      copy.set(key, changed(member, path.subspan(1), value));
    }
  }
  if (path.size() == 1 && value) copy.set(path.front(), *value);
  return copy;
}

Json with(const Json& object, std::vector<std::string> path, std::optional<Json> value) {
  return changed(object, path, value);
}

Json with_annotation(const Json& lease, const std::string& name, std::optional<Json> value) {
  return with(lease, {"metadata", "annotations", kPrefix + name}, std::move(value));
}

// What the API server adds.
Json stored(const Json& lease) {
  Json out = with(lease, {"metadata", "uid"}, Json("lease-uid"));
  out = with(out, {"metadata", "resourceVersion"}, Json("7"));
  return with(out, {"metadata", "creationTimestamp"}, Json("2026-11-23T13:17:00Z"));
}

Session frozen() {
  Session session;
  session.namespace_ = "team-a";
  session.vm = "db";
  session.vmi_uid = "vmi-uid";
  session.claims = {"db-disk-0", "db-disk-1"};
  session.timer = 30s;
  session.holder = "webhook-1/request-1";
  session.phase = Phase::kFrozen;
  session.holds = {{Hold::Kind::kHarvester, "nightly", "backup-uid", 0}};
  return session;
}

Json lease_of(const Session& session) {
  return stored(to_lease(session, "snapfreeze"));
}

Session read(const Json& lease) {
  auto session = freeze::from_lease(lease);
  REQUIRE(session.ok());
  return *session;
}

bool same(const Session& a, const Session& b) {
  return a.namespace_ == b.namespace_ && a.vm == b.vm && a.vmi_uid == b.vmi_uid && a.windows == b.windows &&
         a.timer == b.timer && a.holder == b.holder && a.phase == b.phase && a.holds == b.holds &&
         a.intent == b.intent && a.unsettled == b.unsettled && a.frozen_by == b.frozen_by && a.doubts == b.doubts &&
         a.captured == b.captured;
}

class SessionMaker {
 public:
  explicit SessionMaker(unsigned seed) : random_(seed) {}

  Session make() {
    Session session = frozen();
    session.namespace_ = pick<std::string>({"a", "team-a", std::string(63, 'n')});
    session.vm = pick<std::string>({"db", "db.prod", std::string(63, 'v'), std::string(252, 'v')});
    session.vmi_uid = test::random_text(random_) + "u";
    session.windows = chance();
    session.timer = std::chrono::seconds(1 + random_() % 600);
    session.holder = test::random_text(random_);
    session.phase = pick<Phase>({Phase::kFreezing, Phase::kFrozen, Phase::kArmed, Phase::kThawing, Phase::kResting});
    while (session.holds.size() < 4 && chance()) {
      session.holds.push_back(
          {Hold::Kind::kLabel, test::random_text(random_) + "n", "", static_cast<int>(random_() % 5)});
    }
    session.intent = {pick<Intent::Call>({Intent::Call::kNone, Intent::Call::kFreeze, Intent::Call::kUnfreeze}),
                      test::random_text(random_)};
    if (session.phase == Phase::kArmed) {
      session.intent = {Intent::Call::kUnfreeze, test::random_text(random_) + "l", {test::random_text(random_) + "s"}};
      while (chance()) session.intent.after.push_back(test::random_text(random_) + "s");
    }
    session.unsettled = chance();
    if (chance())
      session.frozen_by = Wall(std::chrono::microseconds(1'795'440'000'000'000 + random_() % 1'000'000'000));
    while (chance()) session.doubt(Reason::named(freeze::kReasons.at(random_() % freeze::kReasons.size()).name));
    while (chance()) session.captured[test::random_text(random_)] = Millis(random_() % 100000);
    return session;
  }

 private:
  bool chance() { return random_() % 2 == 0; }
  template <class T>
  T pick(std::vector<T> from) {
    return from[random_() % from.size()];
  }

  std::mt19937 random_;
};

// The lines of the diagram of the session's machine in `file`, less `indent`.
std::vector<std::string> machine_drawn_in(const std::string& file, const std::string& indent) {
  std::ifstream text(SNAPFREEZE_SOURCE_DIR "/" + file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) {
    const bool drawn = line.starts_with(indent + (lines.empty() ? "(none)" : " "));
    if (drawn) lines.push_back(line.substr(indent.size()));
    if (!drawn && !lines.empty()) break;
  }
  return lines;
}

}  // namespace

TEST_CASE("a session that is written to a Lease reads the same") {
  SessionMaker maker(1);
  for (int i = 0; i < 3000; ++i) {
    const Session session = maker.make();
    const Session back = read(lease_of(session));
    CAPTURE(i, lease_of(session).dump());
    REQUIRE(same(session, back));
    REQUIRE(back.lease == freeze::lease_name(session.namespace_, session.vm));
    REQUIRE(back.uid == "lease-uid");
    REQUIRE(back.resource_version == "7");
    REQUIRE(back.created.has_value());
  }
}

TEST_CASE("a patch takes the Lease of one state to that of another") {
  SessionMaker maker(2);
  for (int i = 0; i < 1000; ++i) {
    const Session before = maker.make();
    Session after = maker.make();
    // What never changes in a session's life.
    for (auto member : {&Session::namespace_, &Session::vm, &Session::vmi_uid, &Session::holder}) {
      after.*member = before.*member;
    }
    after.windows = before.windows;
    after.timer = before.timer;

    Json lease = lease_of(before);
    const Json patch = freeze::to_patch(after);
    for (const auto& [key, value] : patch["metadata"]["annotations"].members()) {
      lease = with(lease, {"metadata", "annotations", key}, value.is_null() ? std::nullopt : std::optional(value));
    }
    CAPTURE(i, patch.dump());
    REQUIRE(same(after, read(lease)));
  }
}

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

TEST_CASE("a patch is for one session in one state only") {
  Session session = frozen();
  session.uid = "lease-uid";
  session.resource_version = "7";
  const Json patch = freeze::to_patch(session);
  CHECK(patch["metadata"]["uid"].string() == "lease-uid");
  CHECK(patch["metadata"]["resourceVersion"].string() == "7");
}

TEST_CASE("a new Lease leaves out what is empty, as null is no annotation") {
  const Json lease = to_lease(frozen(), "snapfreeze");
  for (const auto& [key, value] : lease["metadata"]["annotations"].members()) {
    CAPTURE(key);
    CHECK(value.is_string());
  }
}

TEST_CASE("a Lease says how long, by whom, and in whose namespace") {
  const Json lease = to_lease(frozen(), "snapfreeze");
  CHECK(lease["metadata"]["namespace"].string() == "snapfreeze");
  CHECK(lease["metadata"]["labels"][freeze::kSessionLabel].string() == "true");
  CHECK(lease["spec"]["leaseDurationSeconds"].integer() == 30);
  CHECK(lease["spec"]["holderIdentity"].string() == "webhook-1/request-1");
}

TEST_CASE("the next change gives a Lease its label back") {
  CHECK(to_patch(frozen())["metadata"]["labels"].is_null());
  Json lease = lease_of(frozen());
  CHECK(read(lease).listed);
  Json metadata = lease["metadata"];
  metadata.set("labels", Json::object());
  lease.set("metadata", metadata);
  const Session session = read(lease);
  CHECK_FALSE(session.listed);
  CHECK(session.doubts.empty());
  CHECK(to_patch(session)["metadata"]["labels"][freeze::kSessionLabel].string() == "true");
}

TEST_CASE("a Lease remembers the version before its freeze") {
  Session session = frozen();
  session.version_before = "123";
  CHECK(read(lease_of(session)).version_before == "123");
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
  CHECK(same(read(with_annotation(lease, "format", std::nullopt)), frozen()));
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

TEST_CASE("a shortened name does not tell the guest, its annotations do") {
  Session session = frozen();
  session.vm = std::string(253, 'v');
  const Json lease = lease_of(session);
  CHECK(read(lease).vm == session.vm);
  CHECK_FALSE(freeze::from_lease(with_annotation(lease, "vm", std::nullopt)).ok());
}

TEST_CASE("what is no Lease at all is refused, not crashed on") {
  std::mt19937 random(3);
  for (int i = 0; i < 2000; ++i) CHECK_FALSE(freeze::from_lease(test::random_json(random)).ok());
}

TEST_CASE("a hold is found by kind, name and uid, not by its count") {
  const Session session = frozen();
  CHECK(session.find_hold({Hold::Kind::kHarvester, "nightly", "backup-uid", 3}) == &session.holds.front());
  CHECK(session.find_hold({Hold::Kind::kHarvester, "nightly", "another", 0}) == nullptr);
  CHECK(session.find_hold({Hold::Kind::kLabel, "nightly", "backup-uid", 0}) == nullptr);
}

TEST_CASE("a doubt is kept once, the first one first") {
  Session session;
  for (const char* doubt : {"lapsed", "migrated", "lapsed"}) session.doubt(Reason::named(doubt));
  CHECK(session.doubts == std::vector<Reason>{freeze::reason::kLapsed, freeze::reason::kMigrated});
}

TEST_CASE("docs and code draw the same machine, with each phase in it") {
  const auto drawn = machine_drawn_in("freeze/session.h", "//   ");
  CHECK(drawn == machine_drawn_in("docs/how-it-works.md", "    "));
  std::string all;
  for (const std::string& line : drawn) all += line + "\n";
  for (const Phase phase : {Phase::kFreezing, Phase::kFrozen, Phase::kThawing, Phase::kResting}) {
    CHECK(all.find(to_string(phase)) != std::string::npos);
  }
}
