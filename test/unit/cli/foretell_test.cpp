// What a backup would do now, of facts that are written down here.
#include "cli/check/foretell.h"

#include <algorithm>
#include <string>

#include "base/time.h"
#include "freeze/names.h"
#include "test/support/catch.h"
#include "test/unit/cli/texts.h"

namespace snapfreeze::cli {
namespace {

using Level = Finding::Level;
using ::test::contains;

const Wall kNoon = *parse_time("2026-11-24T12:00:00Z");

kube::VmiView vmi(const std::string& name, const std::vector<std::string>& claims) {
  kube::VmiView view;
  view.metadata.name = name;
  view.metadata.namespace_ = "prod";
  view.phase = "Running";
  view.agent_connected = true;
  view.claims = claims;
  return view;
}

kube::VmView vm(const std::string& name, const std::vector<std::string>& claims) {
  kube::VmView view;
  view.metadata.name = name;
  view.claims = claims;
  return view;
}

kube::PodView pod(const std::string& name, const std::string& claim, const std::string& owner_kind = "",
                  const std::string& owner = "") {
  kube::PodView view;
  view.metadata.name = name;
  view.claims = {claim};
  const std::string version = owner_kind == "Pod" ? "v1" : "kubevirt.io/v1";
  if (!owner.empty()) view.metadata.owner_references = {{version, owner_kind, owner, "uid", true}};
  return view;
}

kube::BackupView backup(const std::string& name, const std::string& of, std::chrono::seconds ago) {
  kube::BackupView view;
  view.metadata.name = name;
  view.metadata.uid = "uid-" + name;
  view.metadata.creation_timestamp = kNoon - ago;
  view.source_name = of;
  view.snapshot_names = {name + "-0"};
  return view;
}

// A guest with an agent and two disks, of which the launcher has one and an attachment pod the other.
Foretold healthy() {
  Foretold facts;
  facts.now = kNoon;
  facts.admission.hold = hold_of_next_backup();
  facts.admission.guest.vmi = vmi("db1", {"db1-root", "db1-data"});
  facts.admission.guest.vm = vm("db1", {"db1-root", "db1-data"});
  facts.admission.server_clock = kNoon;
  facts.others.vmis = {*facts.admission.guest.vmi, vmi("web", {"web-root"})};
  facts.others.vms = {*facts.admission.guest.vm, vm("web", {"web-root"})};
  facts.others.pods = {pod("virt-launcher-db1-x", "db1-root", "VirtualMachineInstance", "db1"),
                       pod("hp-volume-y", "db1-data", "Pod", "virt-launcher-db1-x"),
                       pod("virt-launcher-web-z", "web-root", "VirtualMachineInstance", "web")};
  facts.takes_freeze = true;
  return facts;
}

std::string told(const Foretold& facts) {
  return to_text(foretell("prod/db1", facts), false);
}

TEST_CASE("what a backup would do is what the webhook would decide") {
  Foretold facts = healthy();
  CHECK(told(facts) ==
        "ok     VM prod/db1: a backup now would freeze it until its last disk is captured, for 30s at most\n");
  facts.admission.guest.vmi->agent_connected = false;
  CHECK(contains(told(facts), "ERROR  VM prod/db1: a backup now would be crash: no-agent: the guest agent is not "));
  freeze::Session session;
  session.phase = freeze::Phase::kResting;
  facts.admission.session = session;
  CHECK(contains(told(facts), "cool-down"));
  facts.admission.guest.vmi->agent_connected = true;
  session.phase = freeze::Phase::kThawing;
  facts.admission.session = session;
  CHECK(contains(told(facts), "would wait"));
}

TEST_CASE("on Windows the limit of VSS is told") {
  Foretold facts = healthy();
  facts.admission.guest.vmi->guest_os_id = "mswindows";
  CHECK(contains(told(facts), "for 8s at most, as Windows gives up a freeze after 10s"));
}

TEST_CASE("a guest that is off is offline, whether or not an object of it is left") {
  Foretold facts = healthy();
  facts.admission.guest.vmi->phase = GENERATE("Succeeded", "Failed", "");
  if (facts.admission.guest.vmi->phase.empty()) facts.admission.guest.vmi.reset();
  facts.others.vmis = {};
  facts.others.pods = {};
  CHECK(contains(told(facts), "ok     VM prod/db1: it is not running: a backup now would be offline"));
  SECTION("unless somebody else runs with one of its disks") {
    facts.others.vmis = {vmi("rescue", {"db1-data"})};
    CHECK(contains(told(facts), "ERROR  VM prod/db1: a backup now would be crash: shared-disk: "));
    CHECK(contains(told(facts), "It is VM rescue, which uses the disk db1-data"));
  }
}

TEST_CASE("whoever uses a disk of the guest is named") {
  Foretold facts = healthy();
  SECTION("a pod that runs") {
    facts.others.pods.push_back(pod("copy-0", "db1-data"));
    CHECK(contains(told(facts), "crash: shared-disk: another running VM or pod"));
    CHECK(contains(told(facts), "It is pod copy-0, which uses the disk db1-data\n"));
  }
  SECTION("a pod that has ended does not") {
    facts.others.pods.push_back(pod("copy-0", "db1-data"));
    facts.others.pods.back().finished = true;
    CHECK(contains(told(facts), "would freeze it"));
  }
  SECTION("another VM, by its guest or by its launcher alone") {
    const bool listed = GENERATE(true, false);
    if (listed) facts.others.vmis.push_back(vmi("twin", {"db1-data"}));
    facts.others.pods.push_back(pod("virt-launcher-twin-x", "db1-data", "VirtualMachineInstance", "twin"));
    CHECK(contains(told(facts), "It is VM twin, which uses the disk db1-data\n"));
  }
  SECTION("another VM that is off does not") {
    facts.others.vmis.push_back(vmi("twin", {"db1-data"}));
    facts.others.vmis.back().phase = "Succeeded";
    CHECK(contains(told(facts), "would freeze it"));
  }
}

TEST_CASE("a disk that the guest does not have is not its disk, and whose it is") {
  Foretold facts = healthy();
  facts.admission.guest.vm->claims.push_back("new");
  facts.others.vms.front().claims.push_back("new");
  CHECK(contains(told(facts), "crash: not-its-disk: "));
  CHECK(contains(told(facts), "It is the disk new, which the running guest does not have yet\n"));
  facts.others.vmis.back().claims.push_back("new");
  CHECK(contains(told(facts), "; VM web, which has the disk new\n"));
}

TEST_CASE("KubeVirt's own snapshot or backup that is under way is named") {
  Foretold facts = healthy();
  freeze::Freezer freezer;
  freezer.name = "own";
  freezer.vm = "db1";
  freezer.created = kNoon - std::chrono::minutes(2);
  SECTION("a backup") {
    facts.others.kubevirt_backups = {freezer};
    CHECK(contains(told(facts), "crash: kubevirt-snapshot: "));
    CHECK(contains(told(facts), "It is KubeVirt's backup own, under way\n"));
  }
  SECTION("a snapshot, which the VM tells, too") {
    facts.others.kubevirt_snapshots = {freezer};
    facts.admission.guest.vm->snapshot_in_progress = "own";
    CHECK(contains(told(facts), "crash: snapshot-in-progress: "));
    CHECK(contains(told(facts), "It is KubeVirt's snapshot own, under way\n"));
  }
  SECTION("one that is over spoils nothing") {
    freezer.over = true;
    freezer.ended = kNoon - std::chrono::minutes(1);
    facts.others.kubevirt_backups = {freezer};
    CHECK(contains(told(facts), "would freeze it"));
  }
  SECTION("nor does that of another VM") {
    freezer.vm = "web";
    facts.others.kubevirt_backups = {freezer};
    CHECK(contains(told(facts), "would freeze it"));
  }
}

TEST_CASE("a backup of the VM that Harvester tries again is told of beforehand") {
  Foretold facts = healthy();
  facts.others.backups = {backup("old", "db1", std::chrono::hours(50))};
  facts.others.backups.front().error = "failed to freeze";
  facts.others.backups.front().error_time = kNoon - std::chrono::hours(2);
  CHECK(told(facts) ==
        "ok     VM prod/db1: a backup now would freeze it until its last disk is captured, for 30s at most\n"
        "WARN   VM prod/db1: Harvester will retry backup old, which failed at 2026-11-24T10:00:00Z: failed to "
        "freeze. Each attempt freezes the guest, and a backup at that moment is crash: other-backup -> fix the cause, "
        "or delete that backup\n");
  SECTION("it acts now") {
    facts.others.backups.front().error_time = kNoon - std::chrono::seconds(4);
    CHECK(contains(told(facts), "crash: other-backup: "));
    CHECK(contains(told(facts), "It is backup old, which failed at 2026-11-24T11:59:56Z: failed to freeze\n"));
  }
  SECTION("all its snapshots exist, so it freezes no more") {
    facts.others.snapshots = {{"old-0", "uid-old", "db1-root", kNoon - std::chrono::hours(50)}};
    CHECK_FALSE(contains(told(facts), "WARN"));
  }
  SECTION("it is ready, or of another VM") {
    if (GENERATE(true, false)) {
      facts.others.backups.front().ready = true;
    } else {
      facts.others.backups.front().source_name = "web";
    }
    CHECK_FALSE(contains(told(facts), "WARN"));
  }
}

TEST_CASE("a guest agent that refuses the command") {
  Foretold facts = healthy();
  facts.takes_freeze = false;
  CHECK(contains(told(facts), "ERROR  VM prod/db1: its guest agent refuses to freeze"));
  facts.takes_freeze.reset();
  CHECK(contains(told(facts), "would freeze it"));
}

TEST_CASE("what could not be looked at is said by name") {
  Foretold facts = healthy();
  facts.others.unseen = {"cannot list pods: HTTP 403"};
  facts.unseen = {"whether a session holds it: HTTP 403"};
  CHECK(contains(told(facts), "?      VM prod/db1: not known: cannot list pods: HTTP 403\n"));
  CHECK(contains(told(facts), "?      VM prod/db1: not known: whether a session holds it: HTTP 403\n"));
  CHECK(has(foretell("prod/db1", facts), Level::kUnknown));
}

}  // namespace
}  // namespace snapfreeze::cli
