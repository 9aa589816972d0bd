// Backups from end to end, in virtual time: Harvester, the webhook and the sweeper on one cluster.
#include "test/sim/story.h"
#include "test/support/catch.h"

using namespace sim;
using namespace snapfreeze;
using namespace std::chrono_literals;

namespace {

cluster::VmOptions disks(int count) {
  cluster::VmOptions vm;
  vm.disks = count;
  return vm;
}

// What any run must end in: nobody frozen, no Lease, no call that was not written down first.
void check_end(Story& story) {
  CHECK(story.wait_for_no_session());
  story.sleep(5s);  // Harvester may have frozen the guest once more, for a second
  CHECK_FALSE(story.frozen());
  CHECK(story.unrecorded().empty());
}

cluster::Json event_of(Story& story) {
  const auto events = story.objects("", "events");
  return events.empty() ? cluster::Json::object() : events.back();
}

}  // namespace

TEST_CASE("a backup of three disks is frozen once, thawed at the last cut, and said to be consistent") {
  Story story(1, disks(3));
  story.lead();
  story.backup("b1");
  REQUIRE(story.wait_for_verdict("b1"));
  CHECK(story.consistency("b1") == "filesystem");
  CHECK(story.truth("b1", 3).filesystem);
  CHECK(story.truth("b1", 3).last_cut_to_thaw < 50ms);
  CHECK(story.note("snapshot.storage.k8s.io/volumesnapshots", "b1-volume-vm1-disk-0", "consistency") == "filesystem");
  CHECK_FALSE(story.note("snapshot.storage.k8s.io/volumesnapshots", "b1-volume-vm1-disk-0", "frozen-for").empty());
  CHECK(story.wait_for_no_session(100ms));
  CHECK(event_of(story)["reason"] == "FilesystemConsistent");
  CHECK(event_of(story)["involvedObject"]["name"] == "b1");
  check_end(story);
}

TEST_CASE("a clean backup of k disks takes at most 12 + k calls, and one more when Longhorn's own answer thaws") {
  const bool asks_longhorn = GENERATE(false, true);
  for (const int count : {1, 3, 8}) {
    StoryOptions options;
    options.asks_longhorn = asks_longhorn;
    Story story(1, disks(count), options);
    if (asks_longhorn) {
      cluster::DiskOptions disk;
      disk.style = cluster::StorageStyle::kOldLonghorn;
      disk.cut = 300ms;
      story.cluster.storage().set_default(disk);
    }
    story.lead();
    story.cluster.locked([&] { story.cluster.faults().clear_ledger(); });
    const Mono begin = story.runtime.now();
    story.backup("b1");
    REQUIRE(story.wait_for_verdict("b1"));
    REQUIRE(story.wait_for_no_session(1000ms));
    CHECK(story.was("longhorn") == asks_longhorn);
    const int renewals = static_cast<int>((story.runtime.now() - begin) / sweeper::Elector::kRetryPeriod) + 1;
    // What Longhorn said goes on record once an object of the API confirms it.
    const int confirmed = asks_longhorn ? 1 : 0;
    CHECK(story.calls("sweeper-0") <= 12 + count + confirmed + renewals);
    CHECK(story.consistency("b1") == "filesystem");
  }
}

TEST_CASE("with thaw-on=ready the guest is held until the snapshots are ready") {
  StoryOptions options;
  options.sweeper.thaw_on = sweeper::ThawOn::kReady;
  Story story(1, disks(1), options);
  cluster::DiskOptions disk;
  disk.ready = 4000ms;
  story.cluster.storage().set_default(disk);
  story.lead();
  story.backup("b1");
  REQUIRE(story.wait_for_verdict("b1"));
  CHECK(story.consistency("b1") == "filesystem");
  CHECK(story.longest_frozen() > 4000ms);
  check_end(story);
}

TEST_CASE("a VM that is stopped meanwhile leaves no session behind") {
  Story story;
  story.cut_after(5000ms);
  story.lead();
  story.backup("b1");
  story.sleep(1s);
  story.cluster.guests().stop("vms", "vm1");
  REQUIRE(story.wait_for_verdict("b1"));
  CHECK(story.reason("b1") == "restarted");
  check_end(story);
}

TEST_CASE("a VM that is restarted meanwhile is not thawed on behalf of its former self") {
  Story story;
  story.cut_after(5000ms);
  story.lead();
  story.backup("b1");
  story.sleep(1s);
  story.cluster.guests().restart("vms", "vm1");
  REQUIRE(story.wait_for_verdict("b1"));
  CHECK(story.reason("b1") == "restarted");
  check_end(story);
}

TEST_CASE("a migration is a doubt, and the guest is thawed again when it is over") {
  Story story;
  story.cut_after(5000ms);
  story.lead();
  story.backup("b1");
  story.sleep(1s);
  story.cluster.guests().migrate("vms", "vm1", 8000ms);
  REQUIRE(story.wait_for_verdict("b1"));
  CHECK(story.reason("b1") == "migrated");
  CHECK(story.calls("sweeper-0", "unfreeze") >= 2);
  check_end(story);
}

TEST_CASE("a guest that somebody thaws by hand is a lapse when its status says so") {
  Story story;
  story.cut_after(15000ms);
  story.lead();
  story.backup("b1");
  story.sleep(7s);
  REQUIRE(story.frozen());
  story.cluster.call("admin", "PUT",
                     "/apis/subresources.kubevirt.io/v1/namespaces/vms/virtualmachineinstances/vm1/unfreeze");
  REQUIRE(story.wait_for_verdict("b1"));
  CHECK(story.reason("b1") == "lapsed");
  check_end(story);
}

TEST_CASE("a thaw that fails is tried until it succeeds, and the guest rests afterwards") {
  Story story;
  story.lead();
  cluster::GuestFault fault;
  fault.operation = "unfreeze";
  fault.caller = "sweeper-0";
  fault.count = 2;
  story.cluster.guests().add_fault("vms", "vm1", fault);
  story.backup("b1");
  REQUIRE(story.wait_for_verdict("b1"));
  CHECK(story.consistency("b1") == "filesystem");
  CHECK(story.truth("b1", 1).filesystem);
  CHECK(story.longest_frozen() < 2s);
  REQUIRE(story.sessions().size() == 1);
  CHECK_FALSE(story.wait_for_no_session(50s));
  CHECK(story.wait_for_no_session(20s));
  check_end(story);
}

TEST_CASE("a webhook that dies while it freezes leaves a session that is abandoned and thawed") {
  Story story;
  story.lead();
  cluster::Fault fault;
  fault.kind = cluster::FaultKind::kKillAfter;
  fault.caller = "webhook-0";
  fault.path = "/freeze";
  story.cluster.add_fault(fault);
  story.backup("b1");
  REQUIRE(story.wait_for_verdict("b1"));
  CHECK(story.reason("b1") == "abandoned");
  CHECK(story.longest_frozen() < 25s);
  check_end(story);
}

TEST_CASE("an offline backup of three disks takes few calls, and is counted and spoken of once") {
  cluster::VmOptions vm = disks(3);
  vm.running = false;
  Story story(1, vm);
  SweeperProcess& leader = story.lead();
  story.cluster.locked([&] { story.cluster.faults().clear_ledger(); });
  const Mono begin = story.runtime.now();
  story.backup("b1");
  REQUIRE(story.wait_for_verdict("b1"));
  story.sleep(500ms);
  const int renewals = static_cast<int>((story.runtime.now() - begin) / sweeper::Elector::kRetryPeriod) + 1;
  CHECK(story.calls("sweeper-0") <= 4 + 3 + 2 + renewals);
  CHECK(story.objects("", "events").size() == 1);
  const std::string counted = R"(snapfreeze_verdicts_total{consistency="offline",reason=""} 1)";
  CHECK(leader.metrics.exposition().find(counted) != std::string::npos);
  check_end(story);
}

TEST_CASE("a session whose Lease goes while nobody leads is thawed by the next leader") {
  StoryOptions options;
  options.policy.default_timer = 60s;
  Story story(1, {}, options);
  story.cut_after(55000ms);
  story.lead();
  SweeperProcess& next = story.start_sweeper("sweeper-1");
  story.sleep(1s);
  story.backup("b1");
  story.sleep(2s);
  REQUIRE(story.frozen());
  story.kill("sweeper-0");
  story.sleep(1s);
  story.cluster.call("admin", "DELETE", "/apis/coordination.k8s.io/v1/namespaces/snapfreeze/leases/vms.vm1");
  story.sleep(1s);
  REQUIRE(story.frozen());
  REQUIRE_FALSE(next.leads());
  REQUIRE(story.wait(40s, [&] { return next.leads(); }));
  CHECK(story.wait(2s, [&] { return !story.frozen(); }));
  REQUIRE(story.wait_for_verdict("b1"));
  CHECK(story.reason("b1") == "session-lost");
  check_end(story);
}

TEST_CASE("a guest that Harvester left frozen is rescued") {
  Story story;
  story.lead();
  story.kill("webhook-0");
  story.backup("b1", "0s");
  story.sleep(30s);
  CHECK(story.frozen());
  story.sleep(60s);
  CHECK_FALSE(story.frozen());
  CHECK(event_of(story)["reason"] == "GuestRescued");
  CHECK(story.installation.process("sweeper-0").metrics.exposition().find("snapfreeze_rescues_total 1") !=
        std::string::npos);
  check_end(story);
}

TEST_CASE("no guest is rescued when that is switched off") {
  StoryOptions options;
  options.sweeper.rescue = false;
  Story story(1, {}, options);
  story.lead();
  story.kill("webhook-0");
  story.backup("b1", "0s");
  story.sleep(120s);
  CHECK(story.frozen());
}
