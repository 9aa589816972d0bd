#include "test/runner/sim_system.h"

#include "test/runner/objects.h"
#include "test/runner/observe.h"
#include "test/runner/sim_sweeper.h"

namespace runner {
namespace {

using namespace std::chrono_literals;

// Elections and first lists; nothing of it is part of a scenario.
constexpr auto kWarmUp = 20s;

cluster::VmOptions options_of(const Vm& vm) {
  cluster::VmOptions options;
  options.ns = vm.namespace_;
  options.name = vm.name;
  options.disks = vm.disks;
  options.running = vm.state != "stopped";
  options.agent = vm.agent;
  options.windows = vm.windows;
  options.freeze_latency = vm.freeze_takes;
  options.thaw_latency = vm.thaw_takes;
  if (vm.opted_out) options.annotations["snapfreeze.harvesterhci.io/skip"] = "true";
  return options;
}

cluster::DiskOptions options_of(const Storage& storage) {
  cluster::DiskOptions options;
  options.style = storage.kind == "csi"        ? cluster::StorageStyle::kCsi
                  : storage.kind == "longhorn" ? cluster::StorageStyle::kLonghorn
                                               : cluster::StorageStyle::kOldLonghorn;
  options.cut = storage.cut;
  options.ready = storage.uploaded;
  options.interim_errors = storage.errors;
  options.never = storage.never;
  if (storage.in_1970) options.creation_time = cluster::Wall{};
  return options;
}

}  // namespace

SimSystem::~SimSystem() {
  for (const auto& [name, process] : processes_) process->kill();
  runtime_.sleep_for(1ms);
  // Before the processes: what its fibers do at their end may still reach for a webhook.
  cluster_.reset();
}

void SimSystem::start(const Scenario& scenario) {
  scenario_ = scenario;
  set_up_cluster();
  for (int i = 1; i <= scenario.product.sweepers; ++i) start_process("sweeper-" + std::to_string(i));
  runtime_.sleep_for(kWarmUp / 2);
  for (int i = 1; i <= scenario.product.webhooks; ++i) start_process("webhook-" + std::to_string(i));
  cluster_->admission().register_webhook({}, {});
  register_replicas();
  runtime_.sleep_for(kWarmUp / 2);
  start_ = runtime_.now();
  const cluster::Lock lock = runtime_.lock();
  cluster_->faults().clear_ledger();
}

void SimSystem::set_up_cluster() {
  cluster_->add_namespace(kOwnNamespace);
  for (const std::string& ns : scenario_.namespaces_opted_out) {
    cluster_->add_namespace(ns, {{"snapfreeze.harvesterhci.io/ignore", "true"}});
  }
  for (const Vm& vm : scenario_.vms) {
    cluster_->add_vm(options_of(vm));
    if (vm.state == "paused") cluster_->guests().pause(vm.namespace_, vm.name);
  }
  cluster_->storage().set_default(options_of(scenario_.storage));
  for (const DiskStorage& disk : scenario_.disks) {
    for (const Vm& vm : scenario_.vms) {
      cluster_->storage().set_disk(vm.namespace_, disk.disk, options_of(disk.storage));
    }
  }
  cluster::HarvesterOptions harvester;
  harvester.create_twice = scenario_.harvester.creates_twice;
  harvester.disks_first = scenario_.harvester.first_round;
  harvester.later = scenario_.harvester.second_round_after;
  cluster_->harvester().set_options(harvester);
  if (scenario_.webhook_called_twice) cluster_->admission().set_rounds(2);
  const cluster::Lock lock = runtime_.lock();
  for (const std::string& user : scenario_.users_without_permission) {
    cluster_->access().deny({user, "update", "subresources.kubevirt.io", "virtualmachineinstances/freeze", "", ""});
  }
  cluster_->faults().set_killer([this](const std::string& caller) { kill_process(caller, back_after_[caller]); });
}

void SimSystem::start_process(const std::string& name) {
  if (const auto found = processes_.find(name); found != processes_.end()) buried_.push_back(found->second);
  if (kind_of_caller(name) == "webhook") {
    const auto webhook = std::make_shared<SimWebhook>(*cluster_, name, scenario_.product);
    replicas_[name] = webhook->transport();
    processes_[name] = webhook;
  } else {
    processes_[name] = std::make_shared<SimSweeper>(*cluster_, name, scenario_.product);
  }
}

void SimSystem::register_replicas() {
  std::vector<std::shared_ptr<cluster::AdmissionTransport>> all;
  for (const auto& [name, replica] : replicas_) all.push_back(replica);
  cluster_->admission().set_replicas(kOwnNamespace, cluster::WebhookOptions{}.name, all);
}

// The Service keeps a dead replica until another has taken its place, as endpoints lag behind.
void SimSystem::kill_process(const std::string& name, std::optional<Millis> back_after) {
  processes_.at(name)->kill();
  if (!back_after) return;
  runtime_.spawn("restart " + name, [this, name, after = *back_after] {
    runtime_.sleep_for(after);
    start_process(name);
    register_replicas();
  });
}

std::vector<std::string> SimSystem::processes(const std::string& target) const {
  std::vector<std::string> names;
  for (const auto& [name, process] : processes_) {
    if (target == name || target == kind_of_caller(name) + "s" || target == "snapfreeze") names.push_back(name);
  }
  return names;
}

// As a fault names them; "" is anyone.
std::vector<std::string> SimSystem::callers(const std::string& by) const {
  if (by.empty()) return {""};
  if (by == "harvester") return {cluster::kHarvesterUser};
  return processes(by);
}

void SimSystem::begin(const Backup& backup) {
  const Json annotations = backup.opted_out ? Json{{"snapfreeze.harvesterhci.io/skip", "true"}} : Json::object();
  // In a fiber: the API server may be away.
  runtime_.spawn("admin", [this, backup, annotations, ns = namespace_of(backup.vm)] {
    cluster_->start_backup(ns, backup.name, backup.vm, backup.freeze_deadline, annotations);
  });
}

void SimSystem::begin(const Snapshot& snapshot) {
  runtime_.spawn(snapshot.by, [this, snapshot] {
    const Backup* copied = scenario_.find_backup(copied_backup(snapshot));
    const Json backup = copied == nullptr ? Json()
                                          : cluster_->get("harvesterhci.io/virtualmachinebackups",
                                                          namespace_of(copied->vm), copied->name);
    cluster_->call(snapshot.by, "POST", creation_path(snapshot), snapshot_object(snapshot, backup));
  });
}

void SimSystem::happen(const Event& event) {
  cluster::Guests& guests = cluster_->guests();
  const std::string& what = event.target;
  switch (event.action) {
    case Action::kFreeze:
      return guest_fault(event, "freeze");
    case Action::kThaw:
      return guest_fault(event, "unfreeze");
    case Action::kApiServer:
      if (what == "gone") return cluster_->api_down_for(event.lasts);
      return fault(event, what == "slow" ? cluster::FaultKind::kDelayBefore : cluster::FaultKind::kStatus, "");
    case Action::kWatches:
      return end_watches(what, event.times);
    case Action::kLoseReply:
      return fault(event, cluster::FaultKind::kDropAfter, what);
    case Action::kStop:
      return guests.stop(namespace_of(what), what);
    case Action::kStart:
      return guests.start(namespace_of(what), what);
    case Action::kRestart:
      return guests.restart(namespace_of(what), what);
    case Action::kPause:
      return guests.pause(namespace_of(what), what);
    case Action::kResume:
      return guests.resume(namespace_of(what), what);
    case Action::kMigrate:
      return guests.migrate(namespace_of(what), what, event.lasts);
    case Action::kVmSnapshot:
      return guests.vm_snapshot(namespace_of(what), what, what + "-snapshot", event.lasts);
    case Action::kFreezeByHand:
      runtime_.spawn("admin", [this, path = freeze_path(namespace_of(what), what), body = freeze_body(event.lasts)] {
        cluster_->call("admin", "PUT", path, body);
      });
      return;
    case Action::kDeleteBackup:
      return delete_object(kBackupsOfHarvester, namespace_of(scenario_.find_backup(what)->vm), what);
    case Action::kDeleteSnapshot:
      return delete_object(kVolumeSnapshots, namespace_of(scenario_.find_backup(event.backup)->vm), snapshot_of(event));
    case Action::kRejectSnapshot:
      return cluster_->admission().reject_after_admission(namespace_of(scenario_.find_backup(event.backup)->vm),
                                                          snapshot_of(event));
    case Action::kRetryBackup:
      return cluster_->harvester().reconcile_again(namespace_of(scenario_.find_backup(what)->vm), what);
    case Action::kKill:
      return kill(event);
    case Action::kHang:
      return hang(event);
  }
}

std::string SimSystem::snapshot_of(const Event& event) const {
  return event.backup + "-volume-" + event.target;
}

void SimSystem::fault(const Event& event, cluster::FaultKind kind, const std::string& verb) {
  for (const std::string& caller : callers(event.by)) {
    cluster::Fault fault;
    fault.kind = kind;
    fault.caller = caller;
    fault.verb = verb;
    fault.nth = event.first;
    fault.count = event.times == 0 ? -1 : event.times;
    fault.delay = event.lasts;
    cluster_->add_fault(fault);
  }
}

void SimSystem::guest_fault(const Event& event, const std::string& operation) {
  for (const std::string& caller : callers(event.by)) {
    cluster::GuestFault fault;
    fault.operation = operation;
    fault.kind = event.target == "late"             ? cluster::GuestFaultKind::kLate
                 : event.target == "fails-half-way" ? cluster::GuestFaultKind::kHalfway
                                                    : cluster::GuestFaultKind::kFail;
    fault.nth = event.first;
    fault.count = event.times == 0 ? -1 : event.times;
    fault.delay = event.lasts;
    fault.caller = caller;
    cluster_->guests().add_fault(namespace_of(event.vm), event.vm, fault);
  }
}

void SimSystem::end_watches(const std::string& how, int times) {
  if (how == "expired") {
    const cluster::Lock lock = runtime_.lock();
    cluster_->store().compact();
    cluster_->store().expire_watches();
    cluster_->store().wake_watches();
  }
  cluster::Fault fault;
  fault.kind = how == "cut"      ? cluster::FaultKind::kCutWatch
               : how == "silent" ? cluster::FaultKind::kSilentWatch
                                 : cluster::FaultKind::kExpireWatch;
  fault.verb = "watch";
  fault.count = times;
  cluster_->add_fault(fault);
}

void SimSystem::kill(const Event& event) {
  for (const std::string& name : processes(event.target)) {
    if (event.after_call == 0) {
      kill_process(name, event.back_after);
      continue;
    }
    back_after_[name] = event.back_after;
    cluster::Fault fault;
    fault.kind = cluster::FaultKind::kKillAfter;
    fault.caller = name;
    fault.nth = event.after_call;
    cluster_->add_fault(fault);
  }
}

void SimSystem::hang(const Event& event) {
  for (const std::string& name : processes(event.target)) {
    const std::shared_ptr<SimProcess> process = processes_.at(name);
    process->hang();
    runtime_.spawn("go on " + name, [this, process, lasts = event.lasts] {
      runtime_.sleep_for(lasts);
      process->go_on();
    });
  }
}

void SimSystem::delete_object(const std::string& collection, const std::string& ns, const std::string& name) {
  runtime_.spawn("admin",
                 [this, path = object_path(collection, ns, name)] { cluster_->call("admin", "DELETE", path); });
}

Observed SimSystem::look() {
  const cluster::Lock lock = runtime_.lock();
  cluster::Store& store = cluster_->store();
  const auto all = [&](const char* group, const char* resource) {
    Json items = Json::array();
    const auto page = store.list(store.resources().at(group, resource), "", cluster::Selector());
    for (const cluster::ObjectRef& object : std::get<cluster::ListPage>(page).items) items.push_back(object->json);
    return items;
  };
  Sources sources;
  sources.snapshots = all("snapshot.storage.k8s.io", "volumesnapshots");
  sources.backups = all("harvesterhci.io", "virtualmachinebackups");
  sources.leases = all("coordination.k8s.io", "leases");
  sources.guests = cluster_->truth().guests_json();
  sources.timeline = cluster_->truth().timeline_json();
  const auto now = std::chrono::duration_cast<Since>(runtime_.now() - start_);
  return observe(sources, cluster_->truth().since_start(start_), now);
}

std::map<std::string, int> SimSystem::calls() {
  const cluster::Lock lock = runtime_.lock();
  std::map<std::string, int> calls;
  for (const auto& [caller, verbs] : cluster_->faults().ledger()) {
    if (processes_.count(caller) == 0) continue;
    for (const auto& [verb, count] : verbs) calls[caller] += count;
  }
  return calls;
}

}  // namespace runner
