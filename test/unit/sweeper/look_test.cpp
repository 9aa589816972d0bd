// The fresh look before a verdict: whose disks they are, what became of the guest, who else froze it, and what is
// served.
#include "sweeper/look.h"

#include "test/unit/sweeper/conclude_rig.h"

namespace look_test {

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;
using namespace snapfreeze::sweeper;
namespace reason = freeze::reason;

namespace {

using Object = cluster::Json;

constexpr char kPods[] = "/api/v1/namespaces/vms/pods";

void add_pod(ConcludeRig& rig, const std::string& name, const std::string& claim, Object metadata = Object::object(),
             const std::string& phase = "Running") {
  metadata["name"] = name;
  const Object volume = {{"name", "disk"}, {"persistentVolumeClaim", {{"claimName", claim}}}};
  rig.cluster.call("tenant", "POST", kPods,
                   {{"apiVersion", "v1"},
                    {"kind", "Pod"},
                    {"metadata", metadata},
                    {"spec", {{"volumes", Object::array({volume})}}}});
  rig.cluster.call("kubelet", "PATCH", std::string(kPods) + "/" + name + "/status", {{"status", {{"phase", phase}}}},
                   "application/merge-patch+json");
}

Object controlled_by(const std::string& api_version, const std::string& kind, const std::string& uid) {
  return {{"ownerReferences",
           Object::array(
               {{{"apiVersion", api_version}, {"kind", kind}, {"name", "x"}, {"uid", uid}, {"controller", true}}})}};
}

std::string uid_of_pod(ConcludeRig& rig, const std::string& name) {
  return rig.cluster.get("/pods", "vms", name)["metadata"]["uid"];
}

void patch_vmi(ConcludeRig& rig, const Object& patch) {
  rig.cluster.call("virt", "PATCH", "/apis/kubevirt.io/v1/namespaces/vms/virtualmachineinstances/vm1", patch,
                   "application/merge-patch+json");
}

void serve(ConcludeRig& rig, const std::string& group, const std::string& resource, bool served) {
  rig.cluster.locked([&] { rig.cluster.store().resources().serve(group, resource, served); });
}

void expect_crash(ConcludeRig& rig, const std::string& why) {
  rig.conclude();
  CHECK(rig.of_backup("consistency") == "crash");
  CHECK(rig.of_backup("reason") == why);
}

}  // namespace

TEST_CASE("a disk that another pod has is shared, and only that disk") {
  ConcludeRig rig;
  add_pod(rig, "copy", "vm1-disk-1");
  expect_crash(rig, "shared-disk");
  CHECK(rig.of_snapshot(0, "consistency") == "filesystem");
  CHECK(rig.of_snapshot(1, "reason") == "shared-disk");
  CHECK(rig.last_event()["message"].get<std::string>().find("(Pod copy)") != std::string::npos);
}

TEST_CASE("a disk that a pod had since the session began is shared, although no list shows the pod") {
  ConcludeRig rig;
  const std::string before = rig.job.session.resource_version;
  SECTION("it came and went") {
    rig.job.session.version_before = before;
    add_pod(rig, "copy", "vm1-disk-1");
    rig.cluster.call("tenant", "DELETE", std::string(kPods) + "/copy");
    expect_crash(rig, "shared-disk");
    CHECK(rig.of_snapshot(0, "consistency") == "filesystem");
    CHECK(rig.last_event()["message"].get<std::string>().find("(Pod copy)") != std::string::npos);
  }
  SECTION("it went") {
    add_pod(rig, "copy", "vm1-disk-1");
    rig.job.session.version_before = rig.cluster.get("/pods", "vms", "copy")["metadata"]["resourceVersion"];
    rig.cluster.call("tenant", "DELETE", std::string(kPods) + "/copy");
    expect_crash(rig, "shared-disk");
  }
  SECTION("it went, and no watch of pods tells of it yet") {
    add_pod(rig, "copy", "vm1-disk-1");
    rig.job.session.version_before = rig.cluster.get("/pods", "vms", "copy")["metadata"]["resourceVersion"];
    rig.cluster.call("tenant", "DELETE", std::string(kPods) + "/copy");
    rig.cluster.locked([&] {
      cluster::Holdback holdback;
      holdback.path = "/v1/pods";
      holdback.until = rig.runtime.now() + 1h;
      rig.cluster.faults().hold_back(holdback);
    });
    expect_crash(rig, "shared-disk");
    CHECK(rig.of_snapshot(0, "consistency") == "filesystem");
  }
  SECTION("it finished, and does not say when") {
    add_pod(rig, "copy", "vm1-disk-1");
    rig.job.session.version_before = rig.cluster.get("/pods", "vms", "copy")["metadata"]["resourceVersion"];
    rig.cluster.call("kubelet", "PATCH", std::string(kPods) + "/copy/status", {{"status", {{"phase", "Succeeded"}}}},
                     "application/merge-patch+json");
    expect_crash(rig, "shared-disk");
  }
  SECTION("it finished, and its node's clock is late") {
    add_pod(rig, "copy", "vm1-disk-1");
    rig.job.session.version_before = rig.cluster.get("/pods", "vms", "copy")["metadata"]["resourceVersion"];
    const Object ended = {{"state", {{"terminated", {{"exitCode", 0}, {"finishedAt", "2020-01-01T00:00:00Z"}}}}}};
    rig.cluster.call("kubelet", "PATCH", std::string(kPods) + "/copy/status",
                     {{"status", {{"phase", "Succeeded"}, {"containerStatuses", Object::array({ended})}}}},
                     "application/merge-patch+json");
    expect_crash(rig, "shared-disk");
  }
  SECTION("it was gone before") {
    add_pod(rig, "copy", "vm1-disk-1");
    rig.cluster.call("tenant", "DELETE", std::string(kPods) + "/copy");
    rig.job.session.version_before = std::to_string(rig.cluster.locked([&] { return rig.cluster.store().version(); }));
    rig.conclude();
    CHECK(rig.of_backup("consistency") == "filesystem");
  }
}

TEST_CASE("another backup that no list shows, and no watch has told of, may have frozen the guest") {
  ConcludeRig rig;
  const auto now = [&] { return std::to_string(rig.cluster.locked([&] { return rig.cluster.store().version(); })); };
  const auto delete_backup = [&](const std::string& name) {
    rig.cluster.call("admin", "DELETE", "/apis/harvesterhci.io/v1beta1/namespaces/vms/virtualmachinebackups/" + name);
  };
  rig.job.session.version_before = now();
  SECTION("it came and went") {
    cluster::DiskOptions never;
    never.never = true;
    rig.cluster.storage().set_default(never);
    rig.make_backup("b2");
    delete_backup("b2");
    rig.job.session.frozen_by = rig.runtime.wall();
    expect_crash(rig, "other-backup");
    CHECK(rig.last_event()["message"].get<std::string>().find("(VirtualMachineBackup b2)") != std::string::npos);
  }
  SECTION("it went before") {
    rig.make_backup("b2");
    delete_backup("b2");
    rig.runtime.sleep_for(1s);
    rig.job.session.version_before = now();
    rig.job.session.created = rig.runtime.wall();
    rig.job.session.frozen_by = rig.runtime.wall();
    rig.conclude();
    CHECK(rig.of_backup("consistency") == "filesystem");
  }
  SECTION("it was of another VM") {
    cluster::VmOptions vm;
    vm.name = "vm2";
    rig.cluster.add_vm(vm);
    rig.cluster.start_backup("vms", "b2", "vm2");
    rig.runtime.sleep_for(3s);
    delete_backup("b2");
    rig.conclude();
    CHECK(rig.of_backup("consistency") == "filesystem");
  }
  SECTION("nobody can tell") {
    cluster::Fault fault;
    fault.kind = cluster::FaultKind::kCutWatch;
    fault.caller = "me";
    fault.path = "/virtualmachinebackups";
    fault.count = -1;
    rig.cluster.add_fault(fault);
    rig.make_backup("b2");
    const ConcludeDone done = rig.conclude();
    CHECK(done.look_failed);
    CHECK(rig.of_backup("consistency").empty());
  }
}

TEST_CASE("a pod that a look has listed is not forgotten when it has gone before the next one") {
  ConcludeRig rig;
  rig.job.session.version_before = rig.job.session.resource_version;
  rig.cluster.locked([&] {
    cluster::Holdback holdback;
    holdback.path = "/v1/pods";
    holdback.until = rig.runtime.now() + 1h;
    rig.cluster.faults().hold_back(holdback);
  });
  add_pod(rig, "copy", "vm1-disk-1");
  SECTION("the watch was silent") {}
  SECTION("another list failed") {
    rig.fail("list", "virtualmachinebackups", 500, 1);
  }
  CHECK(rig.conclude().look_failed);
  rig.cluster.call("tenant", "DELETE", std::string(kPods) + "/copy");
  CHECK(rig.conclude().look_failed);
  rig.cluster.locked([&] { rig.cluster.faults().end_holdbacks(rig.runtime.now()); });
  expect_crash(rig, "shared-disk");
}

TEST_CASE("a guest that was reset while its watch was silent was not frozen, though it is well again") {
  ConcludeRig rig;
  rig.job.session.version_before = rig.job.session.resource_version;
  const auto reset = [&] {
    rig.cluster.guests().reset("vms", "vm1");
    rig.runtime.sleep_for(3s);
    return std::string(
        rig.cluster.get("kubevirt.io/virtualmachineinstances", "vms", "vm1")["metadata"]["resourceVersion"]);
  };
  SECTION("nothing was told") {
    reset();
    expect_crash(rig, "agent-lost");
  }
  SECTION("all was told, and nothing was seen") {
    rig.job.guest_told_until = reset();
    rig.conclude();
    CHECK(rig.of_backup("consistency") == "filesystem");
  }
  SECTION("it was before the session") {
    reset();
    rig.job.session.version_before = std::to_string(rig.cluster.locked([&] { return rig.cluster.store().version(); }));
    rig.conclude();
    CHECK(rig.of_backup("consistency") == "filesystem");
  }
  SECTION("it changed more often than can be remembered") {
    for (int i = 0; i < 1000; ++i) patch_vmi(rig, {{"metadata", {{"labels", {{"number", std::to_string(i)}}}}}});
    CHECK(rig.conclude().look_failed);
  }
  SECTION("the replay is silent, too") {
    reset();
    rig.cluster.locked([&] {
      cluster::Holdback holdback;
      holdback.path = "/kubevirt.io/v1/virtualmachineinstances";
      holdback.until = rig.runtime.now() + 1h;
      rig.cluster.faults().hold_back(holdback);
    });
    CHECK(rig.conclude().look_failed);
    CHECK(rig.of_backup("consistency").empty());
  }
}

TEST_CASE("what became of the pods is unknown if the server has forgotten it, or takes it for the future") {
  ConcludeRig rig;
  rig.job.session.version_before = rig.job.session.resource_version;
  SECTION("forgotten") {
    add_pod(rig, "copy", "web-disk-0");
    rig.cluster.locked([&] { rig.cluster.store().compact(); });
  }
  SECTION("the stream is cut") {
    rig.cluster.add_fault([] {
      cluster::Fault fault;
      fault.kind = cluster::FaultKind::kCutWatch;
      fault.caller = "me";
      fault.path = "/pods";
      fault.count = -1;
      return fault;
    }());
    add_pod(rig, "copy", "web-disk-0");
  }
  SECTION("the future") {
    rig.job.session.version_before = "999999999";
  }
  SECTION("no number") {
    rig.job.session.version_before = "abc";
  }
  CHECK(rig.conclude().look_failed);
  CHECK(rig.of_backup("consistency").empty());
  rig.job.failed_looks = kMaxLooks - 1;
  expect_crash(rig, "unverified");
}

TEST_CASE("a disk that another VM has is shared unless that is off") {
  for (const char* phase : {"Running", "Succeeded"}) {
    ConcludeRig rig;
    const Object volume = {{"name", "disk"}, {"persistentVolumeClaim", {{"claimName", "vm1-disk-0"}}}};
    rig.cluster.call("virt", "POST", "/apis/kubevirt.io/v1/namespaces/vms/virtualmachineinstances",
                     {{"apiVersion", "kubevirt.io/v1"},
                      {"kind", "VirtualMachineInstance"},
                      {"metadata", {{"name", "web"}}},
                      {"spec", {{"volumes", Object::array({volume})}}},
                      {"status", {{"phase", phase}}}});
    rig.conclude();
    const bool runs = std::string(phase) == "Running";
    CHECK(rig.of_backup("consistency") == (runs ? "crash" : "filesystem"));
  }
}

TEST_CASE("the launchers of the guest, and what they attach, share nothing") {
  ConcludeRig rig;
  const std::string vmi = rig.job.session.vmi_uid;
  add_pod(rig, "virt-launcher-1", "vm1-disk-0", controlled_by("kubevirt.io/v1", "VirtualMachineInstance", vmi));
  Object attachment = controlled_by("v1", "Pod", uid_of_pod(rig, "virt-launcher-1"));
  attachment["labels"] = {{"kubevirt.io", "hotplug-disk"}};
  add_pod(rig, "hp-volume-1", "vm1-disk-1", attachment);
  add_pod(rig, "copy", "vm1-disk-1", {}, "Succeeded");
  rig.conclude();
  CHECK(rig.of_backup("consistency") == "filesystem");
}

TEST_CASE("a snapshot of a disk that the guest does not have, or had not, says nothing of it") {
  ConcludeRig rig;
  SECTION("now") {
    rig.job.members[1].claim = "web-disk-0";
    rig.job.session.claims = {"vm1-disk-0", "web-disk-0"};
  }
  SECTION("when the session began") {
    rig.job.session.claims = {"vm1-disk-0"};
  }
  SECTION("as far as anyone knows") {
    rig.job.members[1].claim = "";
  }
  expect_crash(rig, "not-its-disk");
  CHECK(rig.of_snapshot(0, "consistency") == "filesystem");
}

TEST_CASE("what the watch did not show of the guest is a doubt") {
  ConcludeRig rig;
  std::string why;
  SECTION("gone") {
    rig.cluster.call("virt", "DELETE", "/apis/kubevirt.io/v1/namespaces/vms/virtualmachineinstances/vm1");
    why = "restarted";
  }
  SECTION("another one") {
    rig.job.session.vmi_uid = "another";
    why = "restarted";
  }
  SECTION("shut down from inside") {
    patch_vmi(rig, {{"status", {{"phase", "Succeeded"}}}});
    why = "restarted";
  }
  SECTION("no agent") {
    patch_vmi(rig, {{"status", {{"conditions", Object::array()}}}});
    why = "agent-lost";
  }
  SECTION("it migrates") {
    patch_vmi(rig, {{"status", {{"migrationState", {{"migrationUid", "m"}}}}}});
    why = "migrated";
  }
  SECTION("it migrated, whatever the clocks say") {
    patch_vmi(rig, {{"status",
                     {{"migrationState",
                       {{"migrationUid", "m"},
                        {"startTimestamp", "2020-01-01T00:00:00Z"},
                        {"endTimestamp", "2020-01-01T00:00:05Z"},
                        {"completed", true}}}}}});
    rig.job.migration_uid = "";
    why = "migrated";
  }
  expect_crash(rig, why);
}

TEST_CASE("a kind that cannot be listed is tried again, and in the end unverified") {
  const char* kind = GENERATE("virtualmachineinstances", "/pods", "harvesterhci.io", "virtualmachinesnapshots");
  ConcludeRig rig;
  rig.fail("list", kind, 403);
  CHECK(rig.conclude().look_failed);
  CHECK(rig.of_backup("consistency").empty());
  rig.job.failed_looks = kMaxLooks - 1;
  expect_crash(rig, "unverified");
}

TEST_CASE("a 404 for a kind that discovery serves is no list of nothing") {
  ConcludeRig rig;
  rig.fail("list", "virtualmachinesnapshots", 404);
  CHECK(rig.conclude().look_failed);
}

TEST_CASE("that a kind is not served is asked once; later looks cost no more, and see it come") {
  ConcludeRig rig;
  serve(rig, "backup.kubevirt.io", "virtualmachinebackups", false);
  serve(rig, "backup.kubevirt.io", "virtualmachinebackuptrackers", false);
  const LookJob job = look_for(rig.job);
  const auto cost = [&] {
    const int before = rig.calls();
    CHECK(look(rig.seams, job)->error.empty());
    return rig.calls() - before;
  };
  CHECK(cost() == 5 + 1);
  CHECK(cost() == 5);
  serve(rig, "backup.kubevirt.io", "virtualmachinebackups", true);
  rig.cluster.call("tenant", "POST", "/apis/backup.kubevirt.io/v1alpha1/namespaces/vms/virtualmachinebackups",
                   {{"apiVersion", "backup.kubevirt.io/v1alpha1"},
                    {"kind", "VirtualMachineBackup"},
                    {"metadata", {{"name", "full"}}},
                    {"spec", {{"source", {{"kind", "VirtualMachine"}, {"name", "vm1"}}}}}});
  CHECK(look(rig.seams, job)->kubevirt.size() == 1);
  CHECK(cost() == 5);
}

TEST_CASE("a look keeps what concerns its guests, and reads a long list page by page") {
  ConcludeRig rig;
  for (int i = 0; i < 250; ++i) {
    rig.cluster.call("admin", "POST", "/apis/snapshot.kubevirt.io/v1beta1/namespaces/vms/virtualmachinesnapshots",
                     {{"apiVersion", "snapshot.kubevirt.io/v1beta1"},
                      {"kind", "VirtualMachineSnapshot"},
                      {"metadata", {{"name", "s" + std::to_string(i)}}},
                      {"spec", {{"source", {{"kind", "VirtualMachine"}, {"name", i == 240 ? "vm1" : "none"}}}}}});
  }
  const int before = rig.calls();
  const auto found = look(rig.seams, look_for(rig.job));
  CHECK(rig.calls() - before == 5 + 2);
  REQUIRE(found->kubevirt.size() == 1);
  CHECK(found->kubevirt.front().name == "VirtualMachineSnapshot s240");
}

TEST_CASE("a look that somebody else has made is used") {
  ConcludeRig rig;
  rig.job.look = look(rig.seams, look_for(rig.job));
  const int before = rig.calls("list");
  CHECK(rig.conclude().end == ConcludeDone::End::kEnded);
  CHECK(rig.calls("list") == before);
}

TEST_CASE("a look of somebody else's that failed counts as ours") {
  ConcludeRig rig;
  Look nothing;
  nothing.error = "no reply";
  rig.job.look = std::make_shared<const Look>(nothing);
  CHECK(rig.conclude().look_failed);
  CHECK(rig.calls("list") == 0);
}

}  // namespace look_test
