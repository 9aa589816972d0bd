#include "test/scenarios/runner/controlled_system.h"

#include <algorithm>

#include "test/scenarios/runner/objects.h"
#include "test/scenarios/runner/observe.h"

namespace runner {
namespace {

constexpr char kSkip[] = "snapfreeze.harvesterhci.io/skip";
constexpr char kHarvesterUser[] = "system:serviceaccount:harvester-system:harvester";

Json options_of(const Vm& vm) {
  Json options = {{"ns", vm.namespace_},
                  {"name", vm.name},
                  {"disks", vm.disks},
                  {"hot_plugged", vm.hot_plugged},
                  {"shares", vm.shares},
                  {"running", vm.state == "running" || vm.state == "paused"},
                  {"agent", vm.agent},
                  {"windows", vm.windows},
                  {"freeze_latency", vm.freeze_takes.count()},
                  {"thaw_latency", vm.thaw_takes.count()}};
  if (vm.state == "powered-off") options["ended"] = "Succeeded";
  if (vm.state == "crashed") options["ended"] = "Failed";
  if (vm.opted_out) options["annotations"][kSkip] = "true";
  return options;
}

Json options_of(const Storage& storage) {
  Json options = {{"style", storage.kind},
                  {"cut", storage.cut.count()},
                  {"ready", storage.uploaded.count()},
                  {"interim_errors", std::max(storage.errors, 0)},
                  {"fails", storage.errors < 0},
                  {"error_retry", storage.error_every.count()},
                  {"never", storage.never},
                  {"reported", storage.confirms},
                  {"live",
                   {{"delay", storage.live.delay.count()},
                    {"lies", storage.live.lies},
                    {"removed", storage.live.removed},
                    {"by_system", storage.live.by_system},
                    {"vanishes", storage.live.vanishes.count()},
                    {"others", storage.live.others}}}};
  if (storage.in_1970) options["creation_time"] = 0;
  return options;
}

Json options_of(const Harvester& harvester) {
  return {{"create_twice", harvester.creates_twice},
          {"disks_first", harvester.first_round},
          {"later", harvester.second_round_after.count()},
          {"stops_at_failure", harvester.stops_at_failure},
          {"retries", harvester.retries},
          {"retry_every", harvester.retry_every.count()}};
}

}  // namespace

void ControlledSystem::set_up(const Scenario& scenario) {
  scenario_ = scenario;
  control("POST", "namespaces", {{"name", own_namespace()}});
  for (const std::string& ns : scenario.namespaces_opted_out) {
    control("POST", "namespaces", {{"name", ns}, {"labels", {{"snapfreeze.harvesterhci.io/ignore", "true"}}}});
  }
  for (const Snapshot& snapshot : scenario.snapshots) control("POST", "namespaces", {{"name", snapshot.namespace_}});
  for (const Pod& pod : scenario.pods) control("POST", "namespaces", {{"name", pod.namespace_}});
  set_up_storage(scenario);
  set_up_kubevirt(scenario);
  for (const Vm& vm : scenario.vms) {
    control("POST", "vms", options_of(vm));
    if (vm.state == "paused") on_vm(vm.name, "pause");
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

void ControlledSystem::set_up_storage(const Scenario& scenario) {
  control("POST", "storage", options_of(scenario.storage));
  for (const DiskStorage& disk : scenario.disks) {
    for (const Vm& vm : scenario.vms) {
      Json options = options_of(disk.storage);
      options["ns"] = vm.namespace_;
      options["pvc"] = disk.disk;
      control("POST", "storage", options);
    }
  }
}

void ControlledSystem::set_up_kubevirt(const Scenario& scenario) {
  const std::size_t dot = scenario.kubevirt.find('.');
  if (scenario.kubevirt != Scenario().kubevirt) {
    control("POST", "kubevirt",
            {{"major", std::stoi(scenario.kubevirt)}, {"minor", std::stoi(scenario.kubevirt.substr(dot + 1))}});
  }
  for (const Served& kind : scenario.served) {
    const std::string collection = kind.kind->collection;
    Json serve = {{"group", collection.substr(0, collection.find('/'))},
                  {"resource", collection.substr(collection.rfind('/') + 1)},
                  {"served", !kind.version.empty()}};
    if (!kind.version.empty()) serve["version"] = kind.version;
    control("POST", "api", {{"serve", serve}});
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
  const Json wanted = filled(snapshot_object(snapshot, backup));
  request(snapshot.by, "POST", creation_path(snapshot), wanted);
}

void ControlledSystem::begin(const Pod& pod) {
  request("admin", "POST", collection_path("v1/pods", pod.namespace_), pod_object(pod));
}

void ControlledSystem::end(const Pod& pod) {
  request("admin", "DELETE", object_path("v1/pods", pod.namespace_, pod.name), Json());
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
