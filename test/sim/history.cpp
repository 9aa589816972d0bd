#include "test/sim/history.h"

#include <algorithm>

#include "freeze/names.h"
#include "kube/server_time.h"
#include "test/double/api/part.h"
#include "test/sim/admin_deeds.h"

namespace sim {

using namespace std::chrono_literals;

namespace {

constexpr const char* kProcesses[] = {"sweeper-0", "sweeper-1", "webhook-0", "webhook-1"};
constexpr auto kElection = 13s;
// A guest that was left frozen, nobody knows by whom, and what comes of it.
constexpr auto kLongestCalm = 800s;
// Then what was done by a clock that was ahead is past, and a clock that was set back is forgotten.
constexpr auto kClockForgotten = snapfreeze::kube::ServerTime::kRemembered + 50s;
constexpr auto kLook = 5s;
constexpr auto kAround = 6s;  // so long, a backup that did something counts as one that may act
constexpr int kQuietLooks = 3;
constexpr Millis kSlowFreezes{25000};  // Harvester's and ours, and what lies between
constexpr auto kLast = 45s;            // of a backup that nothing disturbs, to its verdict

}  // namespace

History::History(std::uint64_t seed, Plan plan)
    : runtime(seed),
      cluster(runtime),
      installation(cluster, plan.installation),
      moments(cluster),
      dice(seed * 31 + 7),
      plan_(std::move(plan)) {}

void History::set_up() {
  cluster.add_namespace(kNamespace);
  for (const auto& vm : plan_.vms) cluster.add_vm(vm);
  for (const auto& [claim, disk] : plan_.disks) cluster.storage().set_disk(kNamespace, claim, disk);
  cluster.harvester().set_options(plan_.harvester);
  cluster.guests().set_version(1, plan_.kubevirt_minor);
  cluster.admission().set_rounds(plan_.rounds);
  cluster.locked([&] {
    for (const NotServed& kind : plan_.not_served) {
      cluster.store().resources().serve(kind.group, kind.resource, false);
    }
  });
  for (const std::string& vm : plan_.not_for_tenants) {
    cluster.locked([&] {
      cluster.access().deny(
          {"tenant", "update", "subresources.kubevirt.io", "virtualmachineinstances/freeze", kNamespace, vm});
    });
  }
  for (const char* name : {"sweeper-0", "sweeper-1"}) installation.start_sweeper(name);
  for (const char* name : {"webhook-0", "webhook-1"}) installation.start_webhook(name);
  installation.register_webhooks();
  runtime.sleep_for(kElection);
}

void History::play() {
  set_up();
  start_ = runtime.now();
  for (const Event& event : plan_.events) {
    runtime.sleep_until(start_ + event.at);
    cluster.locked([&] { cluster.truth().note("event", "", event.what); });
    event.act(*this);
  }
  moments.finish();
  runtime.sleep_for(1s);
  calm_down();
  wait_for_quiet();
  if (clock_stepped) {
    runtime.sleep_for(kClockForgotten);
    wait_for_quiet();
  }
  back_up_all();
}

// Somebody leads, nobody is frozen, nobody rests, no backup has just acted or ended, and nobody has to wake up.
bool History::quiet() {
  for (const char* name : kProcesses) {
    if (!installation.process(name).gate.closed()) continue;
    calm_ = runtime.now();
    return false;
  }
  bool led = false;
  for (const char* name : {"sweeper-0", "sweeper-1"}) {
    led = led || dynamic_cast<SweeperProcess&>(installation.process(name)).leads();
  }
  if (!led) return false;
  if (names("coordination.k8s.io", "leases", kOwnNamespace).size() > 1) return false;
  for (const auto& vm : plan_.vms) {
    const auto vmi = cluster.get("kubevirt.io/virtualmachineinstances", vm.ns, vm.name);
    // One that VSS has thawed says so until somebody asks it to thaw.
    if (!vmi.is_null() && cluster::part(vmi, "status").contains("fsFreezeStatus")) return false;
  }
  return cluster.locked([this] {
    const auto& timeline = cluster.truth().timeline();
    const auto last = std::find_if(timeline.rbegin(), timeline.rend(), [](const auto& entry) {
      return entry.kind == "backup" || entry.kind == "create" || entry.kind == "call";
    });
    if (last != timeline.rend() && last->at > runtime.now() - kAround) return false;
    return std::none_of(plan_.vms.begin(), plan_.vms.end(),
                        [this](const auto& vm) { return cluster.truth().frozen_now(vm.ns + "/" + vm.name); });
  });
}

void History::wait_for_quiet() {
  int looks = 0;
  for (const auto begin = runtime.now(); looks < kQuietLooks && runtime.now() < begin + kLongestCalm;) {
    runtime.sleep_for(kLook);
    looks = quiet() ? looks + 1 : 0;
  }
}

// Nothing goes wrong any more; what went wrong is not undone.
void History::calm_down() {
  cluster.locked([this] {
    cluster.truth().note("event", "", "from here on nothing is disturbed");
    cluster.faults().clear();
    cluster.faults().end_holdbacks(runtime.now());
  });
  calm_ = runtime.now();
  remove_strange_leases(*this);
  cluster.guests().clear_faults();
  for (const char* name : kProcesses) installation.process(name).gate.disarm();
  installation.revive();
  for (const auto& vm : plan_.vms) {
    try {
      cluster.guests().resume(vm.ns, vm.name);
    } catch (const std::exception&) {
      // It does not exist.
    }
  }
}

bool History::all_judged() {
  return std::all_of(clean_backups.begin(), clean_backups.end(), [this](const std::string& name) {
    const auto backup = cluster.get("harvesterhci.io/virtualmachinebackups", kNamespace, name);
    return !backup.is_null() && backup["metadata"]
                                    .value("annotations", cluster::Json::object())
                                    .contains("snapfreeze.harvesterhci.io/consistency");
  });
}

void History::back_up_all() {
  for (const auto& [claim, disk] : plan_.disks) cluster.storage().set_disk(kNamespace, claim, {});
  cluster.harvester().set_options({});
  for (const auto& vm : plan_.vms) {
    const auto running = cluster.get("kubevirt.io/virtualmachineinstances", vm.ns, vm.name);
    const bool healthy = vm.agent && !vm.annotations.contains("snapfreeze.harvesterhci.io/skip") &&
                         !running.is_null() && running["status"].value("phase", "") == "Running" &&
                         !running["status"].contains("fsFreezeStatus") &&
                         cluster.locked([&] { return cluster.guests().agent_connected(vm.ns, vm.name); }) &&
                         !edited_names.contains(vm.name);
    if (!healthy) continue;
    clean_backups.insert("clean-" + vm.name);
    back_up("clean-" + vm.name, vm.name, "");
    // One admission may need the only slot that another one has, which Harvester's own freeze has delayed.
    const bool crowded = plan_.installation.webhook.settings.max_freezes == 1;
    runtime.sleep_for(crowded ? kSlowFreezes : 300ms);
  }
  const auto begin = runtime.now();
  do runtime.sleep_for(1s);
  while (runtime.now() < begin + kLast && !all_judged());
  wait_for_quiet();  // also one that was rightly given up may rest
}

cluster::Reply History::call(const std::string& user, const std::string& method, const std::string& target,
                             const cluster::Json& body) {
  return cluster.call(user, method, target, body,
                      method == "PATCH" ? "application/merge-patch+json" : "application/json");
}

void History::begin(const std::string& user, const std::string& method, const std::string& target,
                    const cluster::Json& body) {
  runtime.spawn(user, [this, user, method, target, body] { (void)call(user, method, target, body); });
}

void History::back_up(const std::string& name, const std::string& vm, const std::string& deadline) {
  cluster::Json spec = {{"type", "backup"},
                        {"source", {{"apiGroup", "kubevirt.io"}, {"kind", "VirtualMachine"}, {"name", vm}}}};
  if (!deadline.empty()) spec["fsFreezeDeadline"] = deadline;
  begin("admin", "POST",
        std::string("/apis/harvesterhci.io/v1beta1/namespaces/") + kNamespace + "/virtualmachinebackups",
        {{"apiVersion", "harvesterhci.io/v1beta1"},
         {"kind", "VirtualMachineBackup"},
         {"metadata", {{"name", name}}},
         {"spec", spec}});
}

void History::begin_fault(const cluster::Fault& fault, Millis back) {
  installation.when_killed(fault.caller, back);
  if (fault.kind == cluster::FaultKind::kStopAfter) stopped.insert(fault.caller);
  cluster.add_fault(fault);
}

void History::stop_for(const std::string& process, Millis lasts) {
  stopped.insert(process);
  installation.process(process).gate.close_for(lasts);
}

void History::stop_before(const std::string& process, const std::string& ending, Millis longest) {
  stopped.insert(process);
  installation.process(process).gate.close_before(ending, longest);
}

void History::step_clock(Millis step) {
  clock_stepped = true;
  cluster.locked([&] { cluster.store().step_clock(step); });
}

void History::hold_back(cluster::Holdback holdback, Millis lasts) {
  holdback.from = runtime.now();
  holdback.until = holdback.from + lasts;
  const bool of_pods = holdback.path.empty() || holdback.path == "/v1/pods";
  pods_hidden = pods_hidden || (of_pods && !holdback.only_open);
  cluster.locked([&] { cluster.faults().hold_back(holdback); });
}

std::vector<std::string> History::names(const std::string& group, const std::string& resource, const std::string& ns) {
  return cluster.locked([&] {
    std::vector<std::string> all;
    auto& store = cluster.store();
    for (const auto& object : store.all(store.resources().at(group, resource), ns)) {
      all.push_back(object->json["metadata"]["name"]);
    }
    return all;
  });
}

}  // namespace sim
