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
  result.claims = {"disk", "data"};
  result.timer = std::chrono::seconds(30);
  result.phase = phase;
  result.holds = {hold};
  return result;
}

// A guest that can be frozen, and nothing in the way.
Facts facts() {
  Facts result;
  result.hold = kBackup;
  result.disk = "disk";
  result.guest.vmi.emplace();
  result.guest.vmi->metadata.uid = "vmi-uid";
  result.guest.vmi->phase = "Running";
  result.guest.vmi->agent_connected = true;
  result.guest.vmi->claims = {"disk", "data"};
  result.guest.vm.emplace();
  result.guest.vm->claims = {"disk", "data"};
  result.server_clock = kCreated + std::chrono::seconds(3);
  return result;
}

TEST_CASE("a session with a hold of the backup decides early") {
  CHECK(decide_early(kBackup, "disk", session(Phase::kFrozen, kBackup)) == Decision{Step::kJoin});
  CHECK(decide_early(kBackup, "disk", session(Phase::kFreezing, kBackup)) == Decision{Step::kWait});
}

TEST_CASE("a resting session decides early, whose ever it was") {
  CHECK(decide_early(kBackup, "disk", session(Phase::kResting, kBackup)) == Decision{Step::kCrash, reason::kCoolDown});
  CHECK(decide_early(kBackup, "disk", session(Phase::kResting, kOther)) == Decision{Step::kCrash, reason::kCoolDown});
}

TEST_CASE("a resting session keeps from no guest that is off that its disks are at rest") {
  Facts known = facts();
  CHECK(decide_resting(known) == Decision{Step::kCrash, reason::kCoolDown});
  known.guest.vmi->agent_connected = false;
  CHECK(decide_resting(known) == Decision{Step::kCrash, reason::kCoolDown});
  known.guest.vmi->phase = "Succeeded";
  CHECK(decide_resting(known) == Decision{Step::kOffline});
  known.guest.vmi.reset();
  CHECK(decide_resting(known) == Decision{Step::kOffline});
  known.disk = "another-vms";
  CHECK(decide_resting(known) == Decision{Step::kCrash, reason::kCoolDown});
}

TEST_CASE("a resting guest that was not read is not known to be off") {
  Facts known = facts();
  known.guest = {};
  CHECK(decide_resting(known) == Decision{Step::kCrash, reason::kCoolDown});
}

TEST_CASE("other sessions and none leave the decision open") {
  CHECK_FALSE(decide_early(kBackup, "disk", std::nullopt));
  CHECK_FALSE(decide_early(kBackup, "disk", session(Phase::kFrozen, kOther)));
  CHECK_FALSE(decide_early(kBackup, "disk", session(Phase::kFreezing, kOther)));
  CHECK_FALSE(decide_early(kBackup, "disk", session(Phase::kThawing, kBackup)));
}

TEST_CASE("a hold of the same name but another uid, or of a label, is another backup's") {
  const Hold recreated{Hold::Kind::kHarvester, "b1", "b1-new-uid", 0};
  const Hold label{Hold::Kind::kLabel, "b1", "", 0};
  CHECK_FALSE(decide_early(recreated, "disk", session(Phase::kFrozen, kBackup)));
  CHECK_FALSE(decide_early(label, "disk", session(Phase::kFrozen, kBackup)));
}

TEST_CASE("a guest that can be frozen is") {
  CHECK(decide(facts()) == Decision{Step::kBegin});
}

TEST_CASE("without a guest the disks are at rest") {
  Facts known = facts();
  known.guest.vmi.reset();
  CHECK(decide_by_guest(known) == Decision{Step::kOffline});
}

TEST_CASE("a guest that was shut down from inside, or crashed, is off") {
  Facts known = facts();
  known.guest.vmi->phase = GENERATE("Succeeded", "Failed");
  known.guest.vmi->agent_connected = false;
  CHECK(decide_by_guest(known) == Decision{Step::kOffline});
  known.guest.vmi->metadata.deleting = true;
  CHECK(decide_by_guest(known) == Decision{Step::kOffline});
  known.guest.vm.reset();
  CHECK(decide_by_guest(known) == Decision{Step::kOffline});
}

TEST_CASE("a guest that starts, or cannot be told, is neither frozen nor off") {
  Facts known = facts();
  known.guest.vmi->phase = GENERATE("", "Pending", "Scheduling", "Scheduled", "WaitingForSync", "Unknown");
  CHECK(decide_by_guest(known) == Decision{Step::kCrash, reason::kNotRunning});
}

TEST_CASE("a VM that does not exist says nothing about a disk") {
  Facts known = facts();
  known.hold = GENERATE(kBackup, kLabelled);
  known.guest = {};
  CHECK(decide_by_guest(known) == Decision{Step::kCrash, reason::kNoVm});
}

TEST_CASE("an opt-out counts for a stopped VM too") {
  Facts known = facts();
  known.guest.vm->metadata.annotations[freeze::kSkipAnnotation] = "true";
  known.guest.vmi->phase = "Succeeded";
  CHECK(decide_by_guest(known) == Decision{Step::kCrash, reason::kSkipped});
  known.guest.vmi.reset();
  CHECK(decide_by_guest(known) == Decision{Step::kCrash, reason::kSkipped});
}

TEST_CASE("a guest that cannot be frozen is not") {
  Facts known = facts();
  CHECK_FALSE(decide_by_guest(known));
  known.guest.vmi->agent_connected = false;
  CHECK(decide_by_guest(known) == Decision{Step::kCrash, reason::kNoAgent});
}

TEST_CASE("a disk that is not the guest's is not frozen with it, be it running, off or away") {
  Facts known = facts();
  known.disk = GENERATE("another-vms", "");
  CHECK(decide_by_guest(known) == Decision{Step::kCrash, reason::kNotItsDisk});
  known.guest.vmi->phase = "Succeeded";
  CHECK(decide_by_guest(known) == Decision{Step::kCrash, reason::kNotItsDisk});
  known.guest.vmi.reset();
  CHECK(decide_by_guest(known) == Decision{Step::kCrash, reason::kNotItsDisk});
}

TEST_CASE("a folder shared with the guest is not frozen with it") {
  Facts known = facts();
  known.guest.vmi->shared_folders = {"disk"};
  CHECK(decide_by_guest(known) == Decision{Step::kCrash, reason::kNotItsDisk});
}

TEST_CASE("a session holds the disks that its guest had when it began, and no other") {
  const auto frozen = session(Phase::kFrozen, kBackup);
  const auto freezing = session(Phase::kFreezing, kBackup);
  for (const char* disk : {"plugged-in-later", ""}) {
    CHECK(decide_early(kBackup, disk, frozen) == Decision{Step::kCrash, reason::kNotItsDisk});
    CHECK(decide_early(kBackup, disk, freezing) == Decision{Step::kCrash, reason::kNotItsDisk});
  }
  Facts known = facts();
  known.session = session(Phase::kFrozen, kOther);
  known.session->claims = {"data"};
  CHECK(decide(known) == Decision{Step::kWait});
}

TEST_CASE("a session whose thaw was written down ahead is joined like any that is frozen") {
  CHECK(decide_early(kBackup, "disk", session(Phase::kArmed, kBackup)) == Decision{Step::kJoin});
  CHECK(covers(session(Phase::kArmed, kBackup), kBackup));
  Facts known = facts();
  known.session = session(Phase::kArmed, kOther);
  const Decision armed = decide(known);
  known.session = session(Phase::kFrozen, kOther);
  CHECK(armed == decide(known));
}

TEST_CASE("a session that has many holds already is not given more") {
  Facts known = facts();
  known.session = session(Phase::kFrozen, kOther);
  known.session->holds.resize(kMaxHolds, kOther);
  CHECK(decide(known) == Decision{Step::kWait});
}

TEST_CASE("a labelled snapshot is of the present backup while one freeze could have covered both") {
  constexpr std::chrono::seconds kTimer{30};
  CHECK(of_present_backup(kCreated, kCreated + std::chrono::seconds(29), kTimer));
  CHECK_FALSE(of_present_backup(kCreated, kCreated + kTimer, kTimer));
  CHECK(of_present_backup(std::nullopt, kCreated, kTimer));
  CHECK(of_present_backup(kCreated, std::nullopt, kTimer));
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

TEST_CASE("a snapshot that exists already is a duplicate, whatever else") {
  Facts known = facts();
  known.exists = true;
  known.other_member = true;
  CHECK(decide(known) == Decision{Step::kCrash, reason::kDuplicate});
}

TEST_CASE("a guest reported frozen is somebody else's only where Harvester has not frozen it itself") {
  Facts known = facts();
  known.guest.vmi->fs_freeze_status = "frozen";
  CHECK(decide(known) == Decision{Step::kBegin});
  known.hold = kLabelled;
  CHECK(decide(known) == Decision{Step::kAwaitReport});
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
