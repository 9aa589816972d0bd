#include "freeze/fresh_look.h"

#include "base/time.h"
#include "freeze/names.h"
#include "test/support/catch.h"
#include "test/unit/freeze/views.h"

using namespace snapfreeze;
using namespace std::chrono_literals;
using freeze::DiskUser;

namespace fresh_look_test {

const Wall kStart = *parse_time("2026-11-23T13:17:00Z");
constexpr Millis kMargin{1000};

freeze::Session held() {
  freeze::Session session;
  session.vm = "db";
  session.vmi_uid = "vmi-1";
  session.created = kStart;
  return session;
}

// `more` is added to the status of a VMI that is as it was.
std::string_view doubt(const std::string& more, const std::optional<std::string>& migration = "") {
  const auto vmi = kube::VmiView::from(
      test::json("{'metadata':{'name':'db','uid':'vmi-1'},'status':{'phase':'Running','conditions':[{'type':"
                 "'AgentConnected','status':'True'}]" +
                 more + "}}"));
  return guest_doubt(held(), vmi, migration, kMargin);
}

std::string migration(const std::string& uid, const std::string& start, const std::string& end) {
  return ",'migrationState':{'migrationUid':'" + uid + "','startTimestamp':'2026-11-23T13:" + start +
         "Z','endTimestamp':'2026-11-23T13:" + end + "Z','completed':true}";
}

DiskUser launcher(const std::string& name, const std::string& vmi_uid, const std::string& claim) {
  return freeze::pod_user(
      test::json("{'metadata':{'name':'" + name + "','uid':'" + name +
                 "-uid','ownerReferences':[{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstance','uid':'" +
                 vmi_uid + "','controller':true}]},'spec':{'volumes':[{'persistentVolumeClaim':{'claimName':'" + claim +
                 "'}}]},'status':{'phase':'Running'}}"));
}

DiskUser attachment(const std::string& name, const std::string& label, const std::string& launcher_uid) {
  return freeze::pod_user(
      test::json("{'metadata':{'name':'" + name + "','uid':'" + name + "-uid','labels':{'kubevirt.io':'" + label +
                 "'},'ownerReferences':[{'apiVersion':'v1','kind':'Pod','uid':'" + launcher_uid +
                 "','controller':true}]},'spec':{'volumes':[{'persistentVolumeClaim':{'claimName':'data'}}]},"
                 "'status':{'phase':'Running'}}"));
}

DiskUser plain_pod(const std::string& status) {
  return freeze::pod_user(test::json(
      "{'metadata':{'name':'copy'},'spec':{'volumes':[{'persistentVolumeClaim':{'claimName':'data'}}]},'status':" +
      status + "}"));
}

TEST_CASE("a guest that is as it was casts no doubt") {
  CHECK(doubt("").empty());
}

TEST_CASE("a guest that is gone, another one, off, starting, or being deleted was restarted") {
  CHECK(guest_doubt(held(), std::nullopt, "", kMargin) == freeze::reason::kRestarted);
  kube::VmiView vmi;
  vmi.metadata.uid = "vmi-1";
  vmi.phase = "Running";
  vmi.agent_connected = true;
  CHECK(guest_doubt(held(), vmi, "", kMargin).empty());
  SECTION("another") {
    vmi.metadata.uid = "vmi-2";
  }
  SECTION("off or not yet running") {
    vmi.phase = GENERATE("Succeeded", "Failed", "Scheduled", "");
  }
  SECTION("being deleted") {
    vmi.metadata.deleting = true;
  }
  CHECK(guest_doubt(held(), vmi, "", kMargin) == freeze::reason::kRestarted);
}

TEST_CASE("a guest whose agent is not connected may have been reset") {
  kube::VmiView vmi;
  vmi.metadata.uid = "vmi-1";
  vmi.phase = "Running";
  CHECK(guest_doubt(held(), vmi, "", kMargin) == freeze::reason::kAgentLost);
}

TEST_CASE("a migration that is active, or that the watch has not shown, is a doubt") {
  CHECK(doubt(",'migrationState':{'migrationUid':'m'}", "m") == freeze::reason::kMigrated);
  CHECK(doubt(migration("m", "10:00", "11:00"), "") == freeze::reason::kMigrated);
  CHECK(doubt(migration("m", "10:00", "11:00"), "m").empty());
  CHECK(doubt(migration("m", "10:00", "11:00"), std::nullopt).empty());
}

TEST_CASE("a migration that began or ended since the start is a doubt, whoever has seen it") {
  CHECK(doubt(migration("m", "17:01", "17:02"), "m") == freeze::reason::kMigrated);
  CHECK(doubt(migration("m", "10:00", "17:00"), "m") == freeze::reason::kMigrated);
  CHECK(doubt(migration("m", "10:00", "16:58"), "m").empty());
  CHECK(doubt(",'migrationState':{'completed':true}", std::nullopt) == freeze::reason::kMigrated);
}

TEST_CASE("the guest's own launchers, and what they attach, are nobody else") {
  std::vector<DiskUser> users = {launcher("launcher", "vmi-1", "data"), launcher("target", "vmi-1", "data"),
                                 attachment("hp-volume-x", "hotplug-disk", "launcher-uid"),
                                 attachment("hp-volume-y", "hotplug-disk", "target-uid")};
  follow_attachments(users);
  CHECK(other_user(users, "data", "vmi-1", kStart) == nullptr);
  REQUIRE(other_user(users, "data", "vmi-2", kStart) != nullptr);
  CHECK(other_user(users, "data", "vmi-2", kStart)->name == "Pod launcher");
  CHECK(other_user(users, "data", "", kStart) != nullptr);
  CHECK(other_user(users, "root", "vmi-2", kStart) == nullptr);
}

TEST_CASE("what only looks like an attachment, or belongs to another launcher, is somebody else") {
  std::vector<DiskUser> users = {launcher("launcher", "vmi-1", "data"), launcher("theirs", "vmi-2", "root")};
  SECTION("another launcher's") {
    users.push_back(attachment("hp-volume-x", "hotplug-disk", "theirs-uid"));
  }
  SECTION("nobody's") {
    users.push_back(attachment("hp-volume-x", "hotplug-disk", "none-uid"));
  }
  SECTION("another label") {
    users.push_back(attachment("hp-volume-x", "virt-launcher", "launcher-uid"));
  }
  SECTION("another name") {
    users.push_back(attachment("copy", "hotplug-disk", "launcher-uid"));
  }
  follow_attachments(users);
  CHECK(other_user(users, "data", "vmi-1", kStart) != nullptr);
}

TEST_CASE("a pod that is not finished writes, and one that finished since the start may have") {
  const auto writes = [](const std::string& status) {
    const DiskUser user = plain_pod(status);
    return other_user(std::span(&user, 1), "data", "vmi-1", kStart) != nullptr;
  };
  CHECK(writes("{'phase':'Running'}"));
  CHECK(writes("{'phase':'Pending'}"));
  CHECK(writes("{}"));
  CHECK_FALSE(writes("{'phase':'Succeeded'}"));
  const std::string ended =
      "{'phase':'Failed','containerStatuses':[{'state':{'terminated':{'finishedAt':'2026-11-23T13:";
  CHECK(writes(ended + "17:00Z'}}}]}"));
  CHECK_FALSE(writes(ended + "16:59Z'}}}]}"));
  CHECK(writes("{'phase':'Failed','conditions':[{'lastTransitionTime':'2026-11-23T13:17:05Z'}]}"));
}

TEST_CASE("another VMI writes unless it is off since before") {
  const auto writes = [](const std::string& status) {
    const DiskUser user = freeze::vmi_user(test::json(
        "{'metadata':{'name':'web','uid':'vmi-2'},'spec':{'volumes':[{'dataVolume':{'name':'data'}}]},'status':" +
        status + "}"));
    return other_user(std::span(&user, 1), "data", "vmi-1", kStart) != nullptr;
  };
  CHECK(writes("{'phase':'Running'}"));
  CHECK(writes("{'phase':'Scheduling'}"));
  CHECK_FALSE(writes("{'phase':'Succeeded'}"));
  const std::string off =
      "{'phase':'Failed','phaseTransitionTimestamps':[{'phase':'Running','phaseTransitionTimestamp'"
      ":'2026-11-23T13:17:30Z'},{'phase':'Failed','phaseTransitionTimestamp':'2026-11-23T13:";
  CHECK(writes(off + "17:01Z'}]}"));
  CHECK_FALSE(writes(off + "16:59Z'}]}"));
}

struct Off {
  std::optional<kube::VmiView> vmi;
  std::optional<kube::VmView> vm = kube::VmView();
  std::vector<DiskUser> users;
  std::string culprit;

  Off() { vm->claims = {"data"}; }
  void off_vmi() {
    vmi = kube::VmiView();
    vmi->metadata.uid = "vmi-1";
    vmi->metadata.creation_timestamp = kStart - 3600s;
    vmi->phase = "Succeeded";
    vmi->claims = {"data"};
  }
  std::string_view doubt() { return freeze::offline_doubt({"data", kStart, vmi, vm, users}, culprit); }
};

TEST_CASE("the disk of a VM without a VMI, or whose guest is off, is at rest") {
  Off off;
  CHECK(off.doubt().empty());
  off.off_vmi();
  CHECK(off.doubt().empty());
  off.vm.reset();  // a VMI by itself
  CHECK(off.doubt().empty());
}

TEST_CASE("a VM that runs, or whose VMI came since, was started") {
  Off off;
  off.off_vmi();
  SECTION("it runs") {
    off.vmi->phase = GENERATE("Running", "Scheduling", "");
  }
  SECTION("it ran") {
    off.vmi->metadata.creation_timestamp = kStart;
  }
  SECTION("nobody knows since when") {
    off.vmi->metadata.creation_timestamp.reset();
  }
  CHECK(off.doubt() == freeze::reason::kStarted);
}

TEST_CASE("a disk that is not the VM's own says nothing of it") {
  Off off;
  SECTION("another one's") {
    off.vm->claims = {"root"};
  }
  SECTION("of no VM") {
    off.vm.reset();
  }
  CHECK(off.doubt() == freeze::reason::kNotItsDisk);
}

TEST_CASE("a disk that anything has is not at rest, the VM's own launcher included") {
  Off off;
  SECTION("another pod") {
    off.users = {plain_pod("{'phase':'Running'}")};
  }
  SECTION("a pod that finished since") {
    off.users = {plain_pod("{'phase':'Succeeded','conditions':[{'lastTransitionTime':'2026-11-23T13:17:05Z'}]}")};
  }
  SECTION("a launcher that is left") {
    off.off_vmi();
    off.users = {launcher("virt-launcher", "vmi-1", "data")};
  }
  CHECK(off.doubt() == freeze::reason::kSharedDisk);
  CHECK_FALSE(off.culprit.empty());
}

TEST_CASE("the finished launcher of a guest that is off does not count") {
  Off off;
  off.off_vmi();
  off.users = {launcher("virt-launcher", "vmi-1", "data")};
  off.users[0].finished = true;
  off.users[0].ended = kStart;
  CHECK(off.doubt().empty());
}

}  // namespace fresh_look_test
