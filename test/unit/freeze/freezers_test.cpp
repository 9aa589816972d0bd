// What the objects of Harvester and KubeVirt say of those who freeze.
#include "base/time.h"
#include "freeze/interference.h"
#include "test/support/catch.h"
#include "test/unit/freeze/views.h"

using namespace snapfreeze;
using namespace std::chrono_literals;
using freeze::Freezer;
using freeze::Session;

namespace {

const Wall kMoment = *parse_time("2026-11-23T13:17:00Z");

}  // namespace

TEST_CASE("a Harvester backup is read with its deadline and its end") {
  const Freezer freezer = freeze::harvester_backup(
      test::json("{'metadata':{'name':'b','uid':'u','creationTimestamp':'2026-11-23T13:17:00Z'},"
                 "'spec':{'source':{'name':'db'},'fsFreezeDeadline':'10s'},'status':{'readyToUse':true,'conditions':["
                 "{'type':'Ready','lastTransitionTime':'2026-11-23T13:17:09Z'},{'type':'Progressing','lastUpdateTime':"
                 "'2026-11-23T13:17:05Z'}]}}"));
  CHECK(freezer.name == "b");
  CHECK(freezer.uid == "u");
  CHECK(freezer.vm == "db");
  CHECK(freezer.created == kMoment);
  CHECK(freezer.over);
  CHECK(freezer.ended == kMoment + 9s);
  CHECK(freezer.deadline == Millis(10s));
}

TEST_CASE("a Harvester backup is read with its snapshots and when it last changed") {
  const Freezer freezer = freeze::harvester_backup(test::json(
      "{'metadata':{'annotations':{'harvesterhci.io/snapshotFreezeFS':'true'}},'spec':{'source':{'name':'db'}},"
      "'status':{'volumeBackups':[{'name':'a'},{'name':'b'}],'error':{'time':'2026-11-23T13:17:09Z'},'conditions':["
      "{'type':'Ready','lastTransitionTime':'2026-11-23T13:17:05Z'}]}}"));
  CHECK(freezer.snapshots == std::vector<std::string>{"a", "b"});
  CHECK(freezer.froze);
  CHECK(freezer.changed == kMoment + 9s);
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

TEST_CASE("KubeVirt's snapshot that is deleted before its end is not over while it is there") {
  CHECK_FALSE(freeze::kubevirt_snapshot(
                  test::json("{'metadata':{'deletionTimestamp':'2026-11-23T13:17:00Z'},'status':{'phase':'Deleting'}}"))
                  .over);
}

TEST_CASE("KubeVirt's backup since 1.9 is over when it is complete or has failed") {
  const auto with = [](const std::string& type, const std::string& status) {
    return freeze::kubevirt_backup(
        test::json("{'spec':{'source':{'kind':'VirtualMachine','name':'db'}},'status':{'conditions':[{'type':'" + type +
                   "','status':'" + status + "','lastTransitionTime':'2026-11-23T13:16:00Z'}]}}"));
  };
  Session session;
  session.namespace_ = "team-a";
  session.vm = "db";
  session.created = kMoment;
  for (const char* type : {"Complete", "Failed"}) {
    CHECK(with(type, "True").over);
    CHECK(with(type, "True").ended == kMoment - 60s);
    CHECK_FALSE(with(type, "False").over);
    const Freezer freezer = with(type, "True");
    CHECK_FALSE(kubevirt_interfered(session, std::span(&freezer, 1)));
  }
  CHECK_FALSE(with("Progressing", "True").over);
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
