// Backups from end to end, in virtual time: Harvester, the webhook and the sweeper on one cluster.
#include "test/sim/story.h"

#include "test/support/catch.h"

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;

namespace {

cluster::VmOptions disks(int count) {
  cluster::VmOptions vm;
  vm.disks = count;
  return vm;
}

// What any run must end in: nobody frozen, no Lease, no call that was not written down first.
void check_end(Sim& sim) {
  CHECK(sim.wait_for_no_session());
  sim.sleep(5s);  // Harvester may have frozen the guest once more, for a second
  CHECK_FALSE(sim.frozen());
  CHECK(sim.unrecorded.empty());
}

cluster::Json event_of(Sim& sim) {
  const auto events = sim.objects("events.k8s.io", "events");
  return events.empty() ? cluster::Json::object() : events.back();
}

}  // namespace

TEST_CASE("a backup of three disks is frozen once, thawed at the last cut, and said to be consistent") {
  Sim sim(1, disks(3));
  sim.lead();
  sim.backup("b1");
  REQUIRE(sim.wait_for_verdict("b1"));
  CHECK(sim.consistency("b1") == "filesystem");
  CHECK(sim.truth("b1", 3).filesystem);
  CHECK(sim.truth("b1", 3).last_cut_to_thaw < 50ms);
  CHECK(sim.note("snapshot.storage.k8s.io/volumesnapshots", "b1-volume-vm1-disk-0", "consistency") == "filesystem");
  CHECK_FALSE(sim.note("snapshot.storage.k8s.io/volumesnapshots", "b1-volume-vm1-disk-0", "frozen-for").empty());
  CHECK(sim.wait_for_no_session(100ms));
  CHECK(event_of(sim)["reason"] == "FilesystemConsistent");
  CHECK(event_of(sim)["regarding"]["name"] == "b1");
  check_end(sim);
}

TEST_CASE("a clean backup of k disks takes at most 10 + k calls") {
  for (const int count : {1, 3, 8}) {
    Sim sim(1, disks(count));
    sim.lead();
    sim.cluster.locked([&] { sim.cluster.faults().clear_ledger(); });
    const Mono begin = sim.runtime.now();
    sim.backup("b1");
    REQUIRE(sim.wait_for_verdict("b1"));
    REQUIRE(sim.wait_for_no_session(1000ms));
    const int renewals = static_cast<int>((sim.runtime.now() - begin) / sweeper::Elector::kRetryPeriod) + 1;
    CHECK(sim.cluster.locked([&] { return sim.cluster.faults().calls("sweeper-0"); }) <= 10 + count + renewals);
    CHECK(sim.consistency("b1") == "filesystem");
  }
}

TEST_CASE("Longhorn's own object ends the freeze long before the content does") {
  Sim sim(1, disks(2));
  cluster::DiskOptions disk;
  disk.style = cluster::StorageStyle::kLonghorn;
  sim.cluster.storage().set_default(disk);
  sim.lead();
  sim.backup("b1");
  REQUIRE(sim.wait_for_verdict("b1"));
  CHECK(sim.consistency("b1") == "filesystem");
  CHECK(sim.longest_frozen() < 1000ms);
  check_end(sim);
}

TEST_CASE("with thaw-on=ready the guest is held until the snapshots are ready") {
  SimOptions options;
  options.sweeper.thaw_on = sweeper::ThawOn::kReady;
  Sim sim(1, disks(1), options);
  cluster::DiskOptions disk;
  disk.ready = 4000ms;
  sim.cluster.storage().set_default(disk);
  sim.lead();
  sim.backup("b1");
  REQUIRE(sim.wait_for_verdict("b1"));
  CHECK(sim.consistency("b1") == "filesystem");
  CHECK(sim.longest_frozen() > 4000ms);
  check_end(sim);
}

TEST_CASE("a disk that is never cut ends in a thaw before T, a verdict of crash, and a cool-down") {
  Sim sim(1, disks(2));
  cluster::DiskOptions never;
  never.never = true;
  sim.cluster.storage().set_disk("vms", "vm1-disk-1", never);
  sim.lead();
  sim.backup("b1", "10s");
  REQUIRE(sim.wait_for_verdict("b1"));
  CHECK(sim.consistency("b1") == "crash");
  CHECK(sim.reason("b1") == "not-captured");
  CHECK(sim.longest_frozen() <= 10s);
  check_end(sim);
}

TEST_CASE("after a session that captured nothing the guest rests, and a next backup does not freeze it") {
  Sim sim;
  cluster::DiskOptions never;
  never.never = true;
  sim.cluster.storage().set_default(never);
  sim.lead();
  sim.backup("b1", "5s");
  REQUIRE(sim.wait_for_verdict("b1"));
  sim.backup("b2");
  REQUIRE(sim.wait_for_verdict("b2"));
  CHECK(sim.reason("b2") == "cool-down");
  CHECK(sim.wait_for_no_session(70s));
  check_end(sim);
}

TEST_CASE("a cut after T is not taken for a consistent one") {
  Sim sim;
  sim.cut_after(8000ms);
  sim.lead();
  sim.backup("b1", "6s");
  REQUIRE(sim.wait_for_verdict("b1"));
  CHECK(sim.consistency("b1") == "crash");
  check_end(sim);
}

TEST_CASE("a snapshot that fails and then succeeds within T is consistent") {
  Sim sim;
  cluster::DiskOptions disk;
  disk.interim_errors = 2;
  disk.error_retry = 1000ms;
  sim.cluster.storage().set_default(disk);
  sim.lead();
  sim.backup("b1");
  REQUIRE(sim.wait_for_verdict("b1"));
  CHECK(sim.consistency("b1") == "filesystem");
  CHECK(sim.truth("b1", 1).filesystem);
  check_end(sim);
}

TEST_CASE("deleting a snapshot or the backup thaws the guest at once") {
  for (const std::string what : {"snapshot.storage.k8s.io/v1/namespaces/vms/volumesnapshots/b1-volume-vm1-disk-0",
                                 "harvesterhci.io/v1beta1/namespaces/vms/virtualmachinebackups/b1"}) {
    Sim sim(1, disks(2));
    cluster::DiskOptions slow;
    slow.cut = 20000ms;
    sim.cluster.storage().set_disk("vms", "vm1-disk-0", slow);
    sim.lead();
    sim.backup("b1");
    sim.sleep(2s);
    REQUIRE(sim.frozen());
    sim.cluster.call("admin", "DELETE", "/apis/" + what);
    sim.sleep(20ms);
    CHECK_FALSE(sim.frozen());
    check_end(sim);
    CHECK(sim.consistency("b1") != "filesystem");
  }
}

TEST_CASE("a VM that is stopped meanwhile leaves no session behind") {
  Sim sim;
  sim.cut_after(5000ms);
  sim.lead();
  sim.backup("b1");
  sim.sleep(1s);
  sim.cluster.guests().stop("vms", "vm1");
  REQUIRE(sim.wait_for_verdict("b1"));
  CHECK(sim.reason("b1") == "restarted");
  check_end(sim);
}

TEST_CASE("a VM that is restarted meanwhile is not thawed on behalf of its former self") {
  Sim sim;
  sim.cut_after(5000ms);
  sim.lead();
  sim.backup("b1");
  sim.sleep(1s);
  sim.cluster.guests().restart("vms", "vm1");
  REQUIRE(sim.wait_for_verdict("b1"));
  CHECK(sim.reason("b1") == "restarted");
  check_end(sim);
}

TEST_CASE("a migration is a doubt, and the guest is thawed again when it is over") {
  Sim sim;
  sim.cut_after(5000ms);
  sim.lead();
  sim.backup("b1");
  sim.sleep(1s);
  sim.cluster.guests().migrate("vms", "vm1", 8000ms);
  REQUIRE(sim.wait_for_verdict("b1"));
  CHECK(sim.reason("b1") == "migrated");
  CHECK(sim.cluster.locked([&] { return sim.cluster.faults().ledger().at("sweeper-0").at("unfreeze"); }) >= 2);
  check_end(sim);
}

TEST_CASE("a guest that somebody thaws by hand is a lapse when its status says so") {
  Sim sim;
  sim.cut_after(15000ms);
  sim.lead();
  sim.backup("b1");
  sim.sleep(7s);
  REQUIRE(sim.frozen());
  sim.cluster.call("admin", "PUT",
                   "/apis/subresources.kubevirt.io/v1/namespaces/vms/virtualmachineinstances/vm1/unfreeze");
  REQUIRE(sim.wait_for_verdict("b1"));
  CHECK(sim.reason("b1") == "lapsed");
  check_end(sim);
}

TEST_CASE("a snapshot of KubeVirt's own is a doubt") {
  Sim sim;
  sim.cut_after(5000ms);
  sim.lead();
  sim.backup("b1");
  sim.sleep(1s);
  sim.cluster.guests().vm_snapshot("vms", "vm1", "s1", 1000ms);
  REQUIRE(sim.wait_for_verdict("b1"));
  CHECK(sim.reason("b1") == "kubevirt-snapshot");
  check_end(sim);
}

TEST_CASE("a thaw that fails is tried until it succeeds, and the guest rests afterwards") {
  Sim sim;
  sim.lead();
  cluster::GuestFault fault;
  fault.operation = "unfreeze";
  fault.caller = "sweeper-0";
  fault.count = 2;
  sim.cluster.guests().add_fault("vms", "vm1", fault);
  sim.backup("b1");
  REQUIRE(sim.wait_for_verdict("b1"));
  CHECK(sim.consistency("b1") == "filesystem");
  CHECK(sim.truth("b1", 1).filesystem);
  CHECK(sim.longest_frozen() < 2s);
  REQUIRE(sim.sessions().size() == 1);
  CHECK_FALSE(sim.wait_for_no_session(50s));
  CHECK(sim.wait_for_no_session(20s));
  check_end(sim);
}

TEST_CASE("a thaw that is carried out late does not thaw the next session") {
  Sim sim;
  sim.lead();
  cluster::GuestFault late;
  late.operation = "unfreeze";
  late.kind = cluster::GuestFaultKind::kLate;
  late.delay = 40000ms;
  late.caller = "sweeper-0";
  sim.cluster.guests().add_fault("vms", "vm1", late);
  sim.backup("b1");
  REQUIRE(sim.wait_for_verdict("b1"));
  sim.sleep(15s);
  sim.backup("b2");
  REQUIRE(sim.wait_for_verdict("b2"));
  CHECK(sim.reason("b2") == "cool-down");
  check_end(sim);
}

TEST_CASE("a freeze that times out is undone, also when it is carried out late") {
  Sim sim;
  sim.lead();
  cluster::GuestFault late;
  late.kind = cluster::GuestFaultKind::kLate;
  late.delay = 30000ms;
  late.caller = "webhook-0";
  sim.cluster.guests().add_fault("vms", "vm1", late);
  sim.backup("b1");
  REQUIRE(sim.wait_for_verdict("b1"));
  CHECK(sim.consistency("b1") == "crash");
  check_end(sim);
}

TEST_CASE("a webhook that dies while it freezes leaves a session that is abandoned and thawed") {
  Sim sim;
  sim.lead();
  sim.cluster.locked([&] { sim.cluster.faults().set_killer([&](const std::string&) { sim.webhook->kill(); }); });
  cluster::Fault fault;
  fault.kind = cluster::FaultKind::kKillAfter;
  fault.caller = "webhook-0";
  fault.path = "/freeze";
  sim.cluster.add_fault(fault);
  sim.backup("b1");
  REQUIRE(sim.wait_for_verdict("b1"));
  CHECK(sim.reason("b1") == "abandoned");
  CHECK(sim.longest_frozen() < 25s);
  check_end(sim);
}

TEST_CASE("two backups of one VM at once share a freeze, and neither is said to be better than it is") {
  Sim sim(1, disks(2));
  sim.lead();
  sim.backup("b1");
  sim.backup("b2");
  REQUIRE(sim.wait_for_verdict("b1"));
  REQUIRE(sim.wait_for_verdict("b2"));
  for (const std::string name : {"b1", "b2"}) {
    if (sim.consistency(name) == "filesystem") CHECK(sim.truth(name, 2).filesystem);
  }
  check_end(sim);
}

TEST_CASE("a VM that is not running is backed up offline") {
  cluster::VmOptions vm = disks(2);
  vm.running = false;
  Sim sim(1, vm);
  sim.lead();
  sim.backup("b1");
  REQUIRE(sim.wait_for_verdict("b1"));
  CHECK(sim.consistency("b1") == "offline");
  CHECK(sim.truth("b1", 2).offline);
  check_end(sim);
}

TEST_CASE("an offline backup of three disks takes few calls, and is counted and spoken of once") {
  cluster::VmOptions vm = disks(3);
  vm.running = false;
  Sim sim(1, vm);
  SimSweeper& leader = sim.lead();
  sim.cluster.locked([&] { sim.cluster.faults().clear_ledger(); });
  const Mono begin = sim.runtime.now();
  sim.backup("b1");
  REQUIRE(sim.wait_for_verdict("b1"));
  sim.sleep(500ms);
  const int renewals = static_cast<int>((sim.runtime.now() - begin) / sweeper::Elector::kRetryPeriod) + 1;
  CHECK(sim.cluster.locked([&] { return sim.cluster.faults().calls("sweeper-0"); }) <= 3 + 3 + 2 + renewals);
  CHECK(sim.objects("events.k8s.io", "events").size() == 1);
  const std::string counted = R"(snapfreeze_verdicts_total{consistency="offline",reason=""} 1)";
  CHECK(leader.metrics().exposition().find(counted) != std::string::npos);
  check_end(sim);
}

TEST_CASE("a VM that is started before its last disk is captured is not offline") {
  cluster::VmOptions vm = disks(2);
  vm.running = false;
  Sim sim(1, vm);
  cluster::DiskOptions slow;
  slow.cut = 5000ms;
  sim.cluster.storage().set_disk("vms", "vm1-disk-1", slow);
  sim.lead();
  sim.backup("b1");
  sim.sleep(2s);
  sim.cluster.guests().start("vms", "vm1");
  REQUIRE(sim.wait_for_verdict("b1"));
  CHECK(sim.consistency("b1") == "crash");
  CHECK(sim.reason("b1") == "started");
  check_end(sim);
}

TEST_CASE("a verdict that the webhook gave is passed on to the backup") {
  cluster::VmOptions vm = disks(2);
  vm.agent = false;
  Sim sim(1, vm);
  sim.lead();
  sim.backup("b1");
  REQUIRE(sim.wait_for_verdict("b1"));
  CHECK(sim.reason("b1") == "no-agent");
  check_end(sim);
}

TEST_CASE("snapshots of a label are judged without a backup object") {
  Sim sim(1, disks(2));
  sim.lead();
  for (const std::string disk : {"0", "1"}) {
    sim.cluster.create_snapshot(
        "script", "vms", "s" + disk, "vm1-disk-" + disk, {{"snapfreeze.harvesterhci.io/backup", "nightly"}},
        {{"snapfreeze.harvesterhci.io/vm", "vm1"}, {"snapfreeze.harvesterhci.io/members", "2"}});
  }
  const auto verdict = [&](const std::string& name) {
    return sim.note("snapshot.storage.k8s.io/volumesnapshots", name, "consistency");
  };
  REQUIRE(sim.wait(60s, [&] { return !verdict("s0").empty() && !verdict("s1").empty(); }));
  CHECK(verdict("s0") == "filesystem");
  CHECK(verdict("s1") == "filesystem");
  CHECK(sim.longest_frozen() < 1s);
  check_end(sim);
}

TEST_CASE("a session whose Lease somebody deletes is thawed all the same, and proves nothing") {
  Sim sim;
  sim.cut_after(20000ms);
  sim.lead();
  sim.backup("b1");
  sim.sleep(2s);
  REQUIRE(sim.frozen());
  sim.cluster.call("admin", "DELETE", "/apis/coordination.k8s.io/v1/namespaces/snapfreeze/leases/vms.vm1");
  sim.sleep(1s);
  CHECK_FALSE(sim.frozen());
  REQUIRE(sim.wait_for_verdict("b1"));
  CHECK(sim.reason("b1") == "session-lost");
  check_end(sim);
}

TEST_CASE("a session whose Lease goes while nobody leads is thawed by the next leader") {
  SimOptions options;
  options.policy.default_timer = 60s;
  Sim sim(1, {}, options);
  sim.cut_after(55000ms);
  sim.lead();
  SimSweeper& next = sim.start_sweeper("sweeper-1");
  sim.sleep(1s);
  sim.backup("b1");
  sim.sleep(2s);
  REQUIRE(sim.frozen());
  sim.sweepers.at("sweeper-0")->kill();
  sim.sleep(1s);
  sim.cluster.call("admin", "DELETE", "/apis/coordination.k8s.io/v1/namespaces/snapfreeze/leases/vms.vm1");
  sim.sleep(1s);
  REQUIRE(sim.frozen());
  REQUIRE_FALSE(next.leads());
  REQUIRE(sim.wait(40s, [&] { return next.leads(); }));
  CHECK(sim.wait(2s, [&] { return !sim.frozen(); }));
  REQUIRE(sim.wait_for_verdict("b1"));
  CHECK(sim.reason("b1") == "session-lost");
  check_end(sim);
}

TEST_CASE("a guest that Harvester left frozen is rescued") {
  Sim sim;
  sim.lead();
  sim.webhook->kill();
  sim.backup("b1", "0s");
  sim.sleep(30s);
  CHECK(sim.frozen());
  sim.sleep(60s);
  CHECK_FALSE(sim.frozen());
  CHECK(event_of(sim)["reason"] == "GuestRescued");
  CHECK(sim.sweepers.at("sweeper-0")->metrics().exposition().find("snapfreeze_rescues_total 1") != std::string::npos);
  check_end(sim);
}

TEST_CASE("no guest is rescued when that is switched off") {
  SimOptions options;
  options.sweeper.rescue = false;
  Sim sim(1, {}, options);
  sim.lead();
  sim.webhook->kill();
  sim.backup("b1", "0s");
  sim.sleep(120s);
  CHECK(sim.frozen());
}

TEST_CASE("Windows gives up after 10 s, which is final and not consistent") {
  cluster::VmOptions vm;
  vm.windows = true;
  Sim sim(1, vm);
  sim.cut_after(20000ms);
  sim.lead();
  sim.backup("b1");
  REQUIRE(sim.wait_for_verdict("b1"));
  CHECK(sim.consistency("b1") == "crash");
  CHECK(sim.longest_frozen() <= 10s);
  check_end(sim);
}

TEST_CASE("the API server may be gone for 5 s in the middle of it") {
  Sim sim;
  sim.cut_after(2000ms);
  sim.lead();
  sim.backup("b1");
  sim.sleep(1s);
  sim.cluster.api_down_for(5000ms);
  REQUIRE(sim.wait_for_verdict("b1"));
  CHECK(sim.consistency("b1") == "filesystem");
  CHECK(sim.truth("b1", 1).filesystem);
  check_end(sim);
}

TEST_CASE("clocks that are minutes apart change nothing") {
  for (const Millis off : {Millis(-300000), Millis(300000)}) {
    SimOptions options;
    options.clock_off = off;
    Sim sim(1, disks(2), options);
    sim.lead();
    sim.backup("b1");
    REQUIRE(sim.wait_for_verdict("b1"));
    CHECK(sim.consistency("b1") == "filesystem");
    check_end(sim);
  }
}
