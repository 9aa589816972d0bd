#include "freeze/lease.h"

#include <random>

#include "freeze/names.h"
#include "test/unit/base/random_json.h"
#include "test/unit/freeze/leases.h"

using namespace snapfreeze;
using namespace test;
using freeze::Hold;
using freeze::Intent;
using freeze::Phase;
using freeze::Reason;
using freeze::Session;

namespace {

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

}  // namespace

TEST_CASE("a session that is written to a Lease reads the same") {
  SessionMaker maker(1);
  for (int i = 0; i < 3000; ++i) {
    const Session session = maker.make();
    const Session back = read(lease_of(session));
    CAPTURE(i, lease_of(session).dump());
    REQUIRE(same_session(session, back));
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
    REQUIRE(same_session(after, read(lease)));
  }
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

TEST_CASE("a shortened name does not tell the guest, its annotations do") {
  Session session = frozen();
  session.vm = std::string(253, 'v');
  const Json lease = lease_of(session);
  CHECK(read(lease).vm == session.vm);
  CHECK_FALSE(freeze::from_lease(with_annotation(lease, "vm", std::nullopt)).ok());
}
