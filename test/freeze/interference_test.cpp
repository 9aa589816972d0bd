#include "freeze/interference.h"

#include "freeze/names.h"
#include "kube/time.h"
#include "test/freeze/views.h"
#include "test/support/catch.h"

using namespace snapfreeze;
using namespace std::chrono_literals;
using freeze::Freezer;
using freeze::Hold;
using freeze::Session;
namespace reason = freeze::reason;

namespace {

// All times of a test are seconds after the session's start.
const Wall kStart = *kube::parse_time("2026-11-23T13:17:00Z");
constexpr Millis kMargin{1000};

Session session() {
  Session session;
  session.uid = "epoch";
  session.namespace_ = "team-a";
  session.vm = "db";
  session.timer = 30s;
  session.created = kStart;
  session.frozen_by = kStart + 2s;
  session.holds = {{Hold::Kind::kHarvester, "mine", "mine-uid", 0}};
  return session;
}

Freezer other(std::chrono::seconds created) {
  Freezer freezer;
  freezer.name = "other";
  freezer.uid = "other-uid";
  freezer.vm = "db";
  freezer.created = kStart + created;
  return freezer;
}

freeze::Proof window(const Freezer& freezer) {
  return proof_window(session(), kMargin, std::span(&freezer, 1));
}

void check_no_effect(const Freezer& freezer) {
  CHECK(window(freezer).window == 29s);
  CHECK(window(freezer).reason == reason::kCutTooLate);
}

}  // namespace

TEST_CASE("alone, a capture counts until T less the margin") {
  const auto proof = proof_window(session(), kMargin, {});
  CHECK(proof.window == 29s);
  CHECK(proof.reason == reason::kCutTooLate);
}

TEST_CASE("another unfinished backup of the VM leaves only its own deadline") {
  Freezer freezer = other(-60s);
  freezer.deadline = 10s;
  CHECK(window(freezer).window == 9s);
  CHECK(window(freezer).reason == reason::kOtherBackup);
}

TEST_CASE("another backup without a deadline has Harvester's second") {
  CHECK(window(other(-60s)).window == 0s);
  CHECK(window(other(-60s)).reason == reason::kOtherBackup);
}

TEST_CASE("another backup without a timer, or with a longer one, shortens nothing") {
  Freezer freezer = other(-60s);
  freezer.deadline = GENERATE(Millis(0), Millis(30s), Millis(60s));
  check_no_effect(freezer);
}

TEST_CASE("the shortest of several deadlines counts") {
  Freezer ten = other(-60s);
  ten.deadline = 10s;
  Freezer five = other(-60s);
  five.deadline = 5s;
  const std::vector<Freezer> both = {ten, five};
  CHECK(proof_window(session(), kMargin, both).window == 4s);
}

TEST_CASE("the backup that began the session does not stand in its own way") {
  Freezer freezer = other(-60s);
  freezer.uid = "mine-uid";
  check_no_effect(freezer);
}

TEST_CASE("a backup that joined counts as much as one that did not") {
  Session joined = session();
  joined.holds.push_back({Hold::Kind::kHarvester, "other", "other-uid", 0});
  const Freezer freezer = other(0s);
  CHECK(proof_window(joined, kMargin, std::span(&freezer, 1)).reason == reason::kOtherBackup);
}

TEST_CASE("a backup of another VM has no effect") {
  Freezer freezer = other(-60s);
  freezer.vm = "web";
  check_no_effect(freezer);
}

TEST_CASE("a backup that was created after the freeze had answered has no effect") {
  check_no_effect(other(3s));
  CHECK(window(other(2s)).reason == reason::kOtherBackup);
}

TEST_CASE("while it is not known when the freeze answered, any backup counts") {
  Session unknown = session();
  unknown.frozen_by.reset();
  const Freezer freezer = other(600s);
  CHECK(proof_window(unknown, kMargin, std::span(&freezer, 1)).reason == reason::kOtherBackup);
}

TEST_CASE("a backup counts for 5 s after its end, as Harvester looks at it once more") {
  Freezer freezer = other(-600s);
  freezer.over = true;
  freezer.ended = kStart - 6s;
  check_no_effect(freezer);
  freezer.ended = kStart - 5s;
  CHECK(window(freezer).reason == reason::kOtherBackup);
}

TEST_CASE("a backup that does not say when it ended is over an hour after its creation") {
  Freezer freezer = other(-3700s);
  freezer.over = true;
  check_no_effect(freezer);
  freezer.created = kStart - 3000s;
  CHECK(window(freezer).reason == reason::kOtherBackup);
}

TEST_CASE("a session of labelled snapshots is not spared by any backup") {
  Session labelled = session();
  labelled.holds = {{Hold::Kind::kLabel, "nightly", "", 2}};
  const Freezer freezer = other(-60s);
  CHECK(proof_window(labelled, kMargin, std::span(&freezer, 1)).reason == reason::kOtherBackup);
}

TEST_CASE("a snapshot of KubeVirt's interferes while it runs and if it ended within the session") {
  Freezer freezer = other(-60s);
  CHECK(kubevirt_interfered(session(), std::span(&freezer, 1)));
  freezer.over = true;
  freezer.ended = kStart;
  CHECK(kubevirt_interfered(session(), std::span(&freezer, 1)));
  freezer.ended = kStart - 1s;
  CHECK_FALSE(kubevirt_interfered(session(), std::span(&freezer, 1)));
}

TEST_CASE("a snapshot of KubeVirt's that came during the session interferes") {
  const Freezer freezer = other(10s);
  CHECK(kubevirt_interfered(session(), std::span(&freezer, 1)));
}

TEST_CASE("one of another VM does not, one whose VM cannot be told does") {
  Freezer freezer = other(10s);
  freezer.vm = "web";
  CHECK_FALSE(kubevirt_interfered(session(), std::span(&freezer, 1)));
  freezer.vm = "";
  CHECK(kubevirt_interfered(session(), std::span(&freezer, 1)));
}

TEST_CASE("a Harvester backup is read with its deadline and its end") {
  const Freezer freezer = freeze::harvester_backup(
      test::json("{'metadata':{'name':'b','uid':'u','creationTimestamp':'2026-11-23T13:17:00Z'},"
                 "'spec':{'source':{'name':'db'},'fsFreezeDeadline':'10s'},'status':{'readyToUse':true,'conditions':["
                 "{'type':'Ready','lastTransitionTime':'2026-11-23T13:17:09Z'},{'type':'Progressing','lastUpdateTime':"
                 "'2026-11-23T13:17:05Z'}]}}"));
  CHECK(freezer.name == "b");
  CHECK(freezer.uid == "u");
  CHECK(freezer.vm == "db");
  CHECK(freezer.created == kStart);
  CHECK(freezer.over);
  CHECK(freezer.ended == kStart + 9s);
  CHECK(freezer.deadline == Millis(10s));
}

TEST_CASE("a Harvester backup in error is not over, as Harvester tries again") {
  const Freezer freezer = freeze::harvester_backup(
      test::json("{'spec':{'source':{'name':'db'}},'status':{'readyToUse':false,'error':{'message':'x'}}}"));
  CHECK_FALSE(freezer.over);
  CHECK_FALSE(freezer.deadline.has_value());
}

TEST_CASE("KubeVirt's snapshot is over when it succeeded or failed") {
  const auto in_phase = [](const std::string& phase) {
    return freeze::kubevirt_snapshot(
        test::json("{'spec':{'source':{'kind':'VirtualMachine','name':'db'}},'status':{'phase':'" + phase + "'}}"));
  };
  CHECK(in_phase("Succeeded").over);
  CHECK(in_phase("Failed").over);
  CHECK_FALSE(in_phase("InProgress").over);
  CHECK_FALSE(in_phase("").over);
  CHECK(in_phase("").vm == "db");
}

TEST_CASE("KubeVirt's backup is over when it is done") {
  const auto in_state = [](const std::string& status) {
    return freeze::kubevirt_backup(
        test::json("{'spec':{'source':{'kind':'VirtualMachine','name':'db'}},'status':{'conditions':[{'type':'Done',"
                   "'status':'" +
                   status + "'}]}}"));
  };
  CHECK(in_state("True").over);
  CHECK_FALSE(in_state("False").over);
  CHECK(in_state("True").vm == "db");
}

TEST_CASE("KubeVirt's backup through a tracker does not name its VM") {
  const auto backup =
      freeze::kubevirt_backup(test::json("{'spec':{'source':{'kind':'VirtualMachineBackupTracker','name':'t'}}}"));
  CHECK(backup.vm.empty());
}
