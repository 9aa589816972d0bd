#include "test/runner/controlled_system.h"

#include "test/runner/objects.h"
#include "test/runner/observe.h"

namespace runner {
namespace {

constexpr char kSkip[] = "snapfreeze.harvesterhci.io/skip";
constexpr char kHarvesterUser[] = "system:serviceaccount:harvester-system:harvester";

Json options_of(const Vm& vm) {
  Json options = {{"ns", vm.namespace_},
                  {"name", vm.name},
                  {"disks", vm.disks},
                  {"running", vm.state != "stopped"},
                  {"agent", vm.agent},
                  {"windows", vm.windows},
                  {"freeze_latency", vm.freeze_takes.count()},
                  {"thaw_latency", vm.thaw_takes.count()}};
  if (vm.opted_out) options["annotations"][kSkip] = "true";
  return options;
}

Json options_of(const Storage& storage) {
  Json options = {{"style", storage.kind},
                  {"cut", storage.cut.count()},
                  {"ready", storage.uploaded.count()},
                  {"interim_errors", storage.errors},
                  {"never", storage.never}};
  if (storage.in_1970) options["creation_time"] = 0;
  return options;
}

Json options_of(const Harvester& harvester) {
  return {{"create_twice", harvester.creates_twice},
          {"disks_first", harvester.first_round},
          {"later", harvester.second_round_after.count()}};
}

int count_of(const Event& event) {
  return event.times == 0 ? -1 : event.times;
}

}  // namespace

void ControlledSystem::set_up(const Scenario& scenario) {
  scenario_ = scenario;
  control("POST", "namespaces", {{"name", own_namespace()}});
  for (const std::string& ns : scenario.namespaces_opted_out) {
    control("POST", "namespaces", {{"name", ns}, {"labels", {{"snapfreeze.harvesterhci.io/ignore", "true"}}}});
  }
  for (const Vm& vm : scenario.vms) {
    control("POST", "vms", options_of(vm));
    if (vm.state == "paused") on_vm(vm.name, "pause");
  }
  control("POST", "storage", options_of(scenario.storage));
  for (const DiskStorage& disk : scenario.disks) {
    for (const Vm& vm : scenario.vms) {
      Json options = options_of(disk.storage);
      options["ns"] = vm.namespace_;
      options["pvc"] = disk.disk;
      control("POST", "storage", options);
    }
  }
  control("POST", "harvester", options_of(scenario.harvester));
  if (scenario.webhook_called_twice) control("POST", "admission", {{"rounds", 2}});
  for (const std::string& user : scenario.users_without_permission) {
    control("POST", "access",
            {{"user", user},
             {"verb", "update"},
             {"group", "subresources.kubevirt.io"},
             {"resource", "virtualmachineinstances/freeze"}});
  }
}

void ControlledSystem::set_start() {
  control("DELETE", "calls", Json::object());
  start_ms_ = control("GET", "now", Json::object()).at("ms");
}

std::vector<std::string> ControlledSystem::processes(const std::string& kinds) const {
  std::vector<std::string> names;
  for (const auto& [kind, count] :
       {std::pair("webhook", scenario_.product.webhooks), std::pair("sweeper", scenario_.product.sweepers)}) {
    for (int i = 0; i < count; ++i) {
      const std::string name = std::string(kind) + "-" + std::to_string(i);
      if (kinds == name || kinds == std::string(kind) + "s" || kinds == "snapfreeze") names.push_back(name);
    }
  }
  return names;
}

// As a fault names them; "" is anyone.
std::vector<std::string> ControlledSystem::callers(const std::string& by) const {
  if (by.empty()) return {""};
  if (by == "harvester") return {kHarvesterUser};
  return processes(by);
}

std::string ControlledSystem::namespace_of_backup(const std::string& backup) const {
  return namespace_of(scenario_.find_backup(backup)->vm);
}

void ControlledSystem::begin(const Backup& backup) {
  const std::string ns = namespace_of(backup.vm);
  request("admin", "POST", collection_path(kBackupsOfHarvester, ns), backup_object(backup));
}

void ControlledSystem::begin(const Snapshot& snapshot) {
  const std::string copied = copied_backup(snapshot);
  const Json backup = copied.empty() ? Json() : object(kBackupsOfHarvester, namespace_of_backup(copied), copied);
  request(snapshot.by, "POST", creation_path(snapshot), snapshot_object(snapshot, backup));
}

void ControlledSystem::happen(const Event& event) {
  const std::string& what = event.target;
  switch (event.action) {
    case Action::kFreeze:
      return guest_fault(event, "freeze");
    case Action::kThaw:
      return guest_fault(event, "unfreeze");
    case Action::kApiServer:
      if (what == "gone") return void(control("POST", "api", {{"down_for", event.lasts.count()}}));
      return fault(event, what == "slow" ? "delay-before" : "status", "");
    case Action::kWatches:
      return end_watches(event);
    case Action::kLoseReply:
      return fault(event, "drop-after", what);
    case Action::kStop:
      return on_vm(what, "stop");
    case Action::kStart:
      return on_vm(what, "start");
    case Action::kRestart:
      return on_vm(what, "restart");
    case Action::kPause:
      return on_vm(what, "pause");
    case Action::kResume:
      return on_vm(what, "resume");
    case Action::kMigrate:
      return on_vm(what, "migrate", {{"duration", event.lasts.count()}});
    case Action::kVmSnapshot:
      return on_vm(what, "snapshot", {{"name", "by-hand"}, {"duration", event.lasts.count()}});
    case Action::kFreezeByHand:
      return request("admin", "PUT", freeze_path(namespace_of(what), what), freeze_body(event.lasts));
    case Action::kDeleteBackup:
      return delete_object(kBackupsOfHarvester, what, what);
    case Action::kDeleteSnapshot:
      return delete_object(kVolumeSnapshots, event.backup, snapshot_name(event.backup, what));
    case Action::kRejectSnapshot:
      control("POST", "admission",
              {{"reject", {{"ns", namespace_of_backup(event.backup)}, {"name", snapshot_name(event.backup, what)}}}});
      return;
    case Action::kRetryBackup:
      control("POST", "harvester/reconcile", {{"ns", namespace_of_backup(what)}, {"name", what}});
      return;
    case Action::kKill:
      return kill(event);
    case Action::kHang:
      for (const std::string& name : processes(what)) hang(name, event.lasts);
      return;
  }
}

void ControlledSystem::on_vm(const std::string& vm, const std::string& action, const Json& body) {
  control("POST", "vms/" + namespace_of(vm) + "/" + vm + "/" + action, body);
}

void ControlledSystem::delete_object(const std::string& collection, const std::string& backup,
                                     const std::string& name) {
  request("admin", "DELETE", object_path(collection, namespace_of_backup(backup), name), Json());
}

void ControlledSystem::fault(const Event& event, const std::string& kind, const std::string& verb) {
  for (const std::string& caller : callers(event.by)) {
    control("POST", "faults",
            {{"kind", kind},
             {"caller", caller},
             {"verb", verb},
             {"nth", event.first},
             {"count", count_of(event)},
             {"delay", event.lasts.count()}});
  }
}

void ControlledSystem::guest_fault(const Event& event, const std::string& operation) {
  const std::string kind = event.target == "late" ? "late" : event.target == "fails-half-way" ? "halfway" : "fail";
  for (const std::string& caller : callers(event.by)) {
    on_vm(event.vm, "fault",
          {{"operation", operation},
           {"kind", kind},
           {"caller", caller},
           {"nth", event.first},
           {"count", count_of(event)},
           {"delay", event.lasts.count()}});
  }
}

void ControlledSystem::end_watches(const Event& event) {
  if (event.target == "expired") control("POST", "api", {{"compact", true}, {"expire_watches", true}});
  const std::string kind = event.target == "expired" ? "expire-watch" : event.target + "-watch";
  control("POST", "faults", {{"kind", kind}, {"verb", "watch"}, {"count", event.times}});
}

void ControlledSystem::kill(const Event& event) {
  for (const std::string& name : processes(event.target)) {
    if (event.after_call == 0) {
      kill_process(name, event.back_after);
    } else {
      kill_at_call(name, event.after_call, event.back_after);
      control("POST", "faults", {{"kind", "kill-after"}, {"caller", name}, {"nth", event.after_call}});
    }
  }
}

Observed ControlledSystem::look() {
  try {
    last_.snapshots = items(kVolumeSnapshots);
    last_.backups = items(kBackupsOfHarvester);
    last_.leases = items("coordination.k8s.io/v1/leases");
  } catch (const std::exception&) {
    // The API server is away, as a scenario may ask for: what was seen last is what is known.
  }
  const Sources sources{last_.snapshots, last_.backups, last_.leases, control("GET", "guests", Json::object()),
                        control("GET", "timeline", Json::object())};
  return observe(sources, start_ms_, now());
}

std::map<std::string, int> ControlledSystem::calls() {
  std::map<std::string, int> calls;
  const Json ledger = control("GET", "calls", Json::object());
  for (const std::string& name : processes("snapfreeze")) {
    const Json own = ledger.value(name, Json::object());
    for (const auto& [verb, count] : own.items()) calls[name] += count.get<int>();
  }
  return calls;
}

}  // namespace runner
