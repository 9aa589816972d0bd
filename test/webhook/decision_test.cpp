#include "webhook/decision.h"

#include "freeze/names.h"
#include "test/support/catch.h"

namespace snapfreeze::webhook {
namespace {

using freeze::Hold;
using freeze::Phase;
using freeze::Session;
using Step = Decision::Step;
namespace reason = freeze::reason;

const Hold kBackup{Hold::Kind::kHarvester, "b1", "b1-uid", 0};
const Hold kOther{Hold::Kind::kHarvester, "b2", "b2-uid", 0};
const Hold kLabelled{Hold::Kind::kLabel, "nightly", "", 0};
constexpr Wall kCreated{std::chrono::hours(500'000)};

Session session(Phase phase, const Hold& hold) {
  Session result;
  result.created = kCreated;
  result.vmi_uid = "vmi-uid";
  result.timer = std::chrono::seconds(30);
  result.phase = phase;
  result.holds = {hold};
  return result;
}

// A guest that can be frozen, and nothing in the way.
Facts facts() {
  Facts result;
  result.hold = kBackup;
  result.guest.vmi.emplace();
  result.guest.vmi->metadata.uid = "vmi-uid";
  result.guest.vmi->phase = "Running";
  result.guest.vmi->agent_connected = true;
  result.guest.vm.emplace();
  result.server_clock = kCreated + std::chrono::seconds(3);
  return result;
}

TEST_CASE("a session with a hold of the backup decides early") {
  CHECK(decide_early(kBackup, session(Phase::kFrozen, kBackup)) == Decision{Step::kJoin});
  CHECK(decide_early(kBackup, session(Phase::kFreezing, kBackup)) == Decision{Step::kWait});
}

TEST_CASE("a resting session decides early, whose ever it was") {
  CHECK(decide_early(kBackup, session(Phase::kResting, kBackup)) == Decision{Step::kCrash, reason::kCoolDown});
  CHECK(decide_early(kBackup, session(Phase::kResting, kOther)) == Decision{Step::kCrash, reason::kCoolDown});
}

TEST_CASE("other sessions and none leave the decision open") {
  CHECK_FALSE(decide_early(kBackup, std::nullopt));
  CHECK_FALSE(decide_early(kBackup, session(Phase::kFrozen, kOther)));
  CHECK_FALSE(decide_early(kBackup, session(Phase::kFreezing, kOther)));
  CHECK_FALSE(decide_early(kBackup, session(Phase::kThawing, kBackup)));
}

TEST_CASE("a hold of the same name but another uid, or of a label, is another backup's") {
  const Hold recreated{Hold::Kind::kHarvester, "b1", "b1-new-uid", 0};
  const Hold label{Hold::Kind::kLabel, "b1", "", 0};
  CHECK_FALSE(decide_early(recreated, session(Phase::kFrozen, kBackup)));
  CHECK_FALSE(decide_early(label, session(Phase::kFrozen, kBackup)));
}

TEST_CASE("a guest that can be frozen is") {
  CHECK(decide(facts()) == Decision{Step::kBegin});
}

TEST_CASE("without a guest the disks are at rest") {
  Facts known = facts();
  known.guest.vmi.reset();
  CHECK(decide(known) == Decision{Step::kOffline});
  known.other_member = true;
  CHECK(decide(known) == Decision{Step::kOffline});
  known.guest.vm.reset();
  CHECK(decide(known) == Decision{Step::kOffline});
}

TEST_CASE("a label that names a VM that does not exist says nothing about a guest") {
  Facts known = facts();
  known.hold = kLabelled;
  known.guest = {};
  CHECK(decide(known) == Decision{Step::kCrash, reason::kNoVm});
}

TEST_CASE("an opt-out counts for a stopped VM too") {
  Facts known = facts();
  known.guest.vmi.reset();
  known.guest.vm->metadata.annotations[freeze::kSkipAnnotation] = "true";
  CHECK(decide(known) == Decision{Step::kCrash, reason::kSkipped});
}

TEST_CASE("a guest that cannot be frozen is not") {
  Facts known = facts();
  known.guest.vmi->phase = "Scheduling";
  CHECK(decide(known) == Decision{Step::kCrash, reason::kNotRunning});
  known = facts();
  known.guest.vmi->agent_connected = false;
  known.exists = true;
  CHECK(decide(known) == Decision{Step::kCrash, reason::kNoAgent});
}

TEST_CASE("a backup of which a disk was admitted without us is late, whoever holds the guest") {
  Facts known = facts();
  known.other_member = true;
  CHECK(decide(known) == Decision{Step::kCrash, reason::kLate});
  known.session = session(Phase::kFrozen, kOther);
  CHECK(decide(known) == Decision{Step::kCrash, reason::kLate});
  known.session = session(Phase::kThawing, kBackup);
  CHECK(decide(known) == Decision{Step::kCrash, reason::kLate});
}

TEST_CASE("of a disk that exists already, Harvester's freeze is undone unless a session sees to it") {
  Facts known = facts();
  known.exists = true;
  known.other_member = true;
  CHECK(decide(known) == Decision{Step::kUndo, reason::kDuplicate});
  known.session = session(Phase::kThawing, kBackup);
  CHECK(decide(known) == Decision{Step::kCrash, reason::kDuplicate});
  known.session.reset();
  known.hold = kLabelled;
  CHECK(decide(known) == Decision{Step::kCrash, reason::kDuplicate});
}

TEST_CASE("a guest reported frozen is somebody else's only where Harvester has not frozen it itself") {
  Facts known = facts();
  known.guest.vmi->fs_freeze_status = "frozen";
  CHECK(decide(known) == Decision{Step::kBegin});
  known.hold = kLabelled;
  CHECK(decide(known) == Decision{Step::kCrash, reason::kFrozenByOther});
  known.session = session(Phase::kFrozen, kOther);
  CHECK(decide(known) == Decision{Step::kAddHold});
}

TEST_CASE("another backup's frozen session is joined while half of its time is provably left") {
  Facts known = facts();
  known.session = session(Phase::kFrozen, kOther);
  known.server_clock = kCreated + std::chrono::seconds(15);
  CHECK(decide(known) == Decision{Step::kAddHold});
  known.server_clock = kCreated + std::chrono::milliseconds(15001);
  CHECK(decide(known) == Decision{Step::kWait});
  known.server_clock.reset();
  CHECK(decide(known) == Decision{Step::kWait});
}

TEST_CASE("the session of a guest that was restarted is not joined") {
  Facts known = facts();
  known.session = session(Phase::kFrozen, kOther);
  known.session->vmi_uid = "former-vmi-uid";
  CHECK(decide(known) == Decision{Step::kWait});
}

TEST_CASE("what is freezing or thawing is waited for") {
  Facts known = facts();
  known.session = session(Phase::kFreezing, kOther);
  CHECK(decide(known) == Decision{Step::kWait});
  known.session = session(Phase::kThawing, kOther);
  CHECK(decide(known) == Decision{Step::kWait});
}

}  // namespace
}  // namespace snapfreeze::webhook
