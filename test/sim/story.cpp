#include "test/sim/story.h"

#include <algorithm>

#include "base/log.h"
#include "freeze/names.h"

namespace sim {
namespace {

namespace freeze = snapfreeze::freeze;
namespace webhook = snapfreeze::webhook;

constexpr char kPrefix[] = "snapfreeze.harvesterhci.io/";

cluster::Json annotations_of(const cluster::Json& object) {
  return object.is_object() ? object["metadata"].value("annotations", cluster::Json::object())
                            : cluster::Json::object();
}

Installation::Options installed(const StoryOptions& options) {
  Installation::Options result;
  result.sweeper = {options.policy, options.sweeper, options.clock_offset, options.asks_longhorn};
  result.webhook.settings.policy = options.policy;
  result.webhook.clock_offset = options.clock_offset;
  return result;
}

}  // namespace

Story::Story(std::uint64_t seed, const cluster::VmOptions& vm, const StoryOptions& options)
    : runtime(seed), cluster(runtime), installation(cluster, installed(options)) {
  snapfreeze::log::configure(snapfreeze::log::Format::kText, snapfreeze::log::Level::kError);
  cluster.add_vm(vm);
  for (const std::string& name : options.webhooks) installation.start_webhook(name);
  installation.register_webhooks();
}

SweeperProcess& Story::lead(const std::string& name) {
  SweeperProcess& sweeper = start_sweeper(name);
  wait(Millis(60000), [&] { return sweeper.leads() && sweeper.core().synced(); });
  sleep(2 * webhook::kLivenessInterval);
  return sweeper;
}

bool Story::wait(Millis limit, const std::function<bool()>& done) {
  const snapfreeze::Mono begin = runtime.now();
  while (!done()) {
    const auto waited = runtime.now() - begin;
    if (waited >= limit) return false;
    runtime.sleep_for(waited < Millis(2000) ? Millis(5) : Millis(250));
  }
  return true;
}

bool Story::wait_for_verdict(const std::string& backup, Millis limit) {
  return wait(limit, [&] { return !consistency(backup).empty(); });
}

bool Story::wait_for_no_session(Millis limit) {
  return wait(limit, [&] { return sessions().empty(); });
}

void Story::cut_after(Millis duration) {
  cluster::DiskOptions disk;
  disk.cut = duration;
  cluster.storage().set_default(disk);
}

void Story::backup(const std::string& name, const std::string& deadline) {
  cluster.start_backup("vms", name, "vm1", deadline);
}

std::string Story::note(const std::string& resource, const std::string& name, const std::string& annotation) {
  return annotations_of(cluster.get(resource, "vms", name)).value(kPrefix + annotation, "");
}

std::string Story::consistency(const std::string& backup) {
  return note("harvesterhci.io/virtualmachinebackups", backup, "consistency");
}

std::string Story::reason(const std::string& backup) {
  return note("harvesterhci.io/virtualmachinebackups", backup, "reason");
}

std::vector<cluster::Json> Story::objects(const std::string& group, const std::string& resource) {
  return cluster.locked([&] {
    std::vector<cluster::Json> all;
    auto& store = cluster.store();
    for (const auto& object : store.all(store.resources().at(group, resource))) all.push_back(object->json);
    return all;
  });
}

std::vector<cluster::Json> Story::sessions() {
  auto leases = objects("coordination.k8s.io", "leases");
  std::erase_if(leases, [](const cluster::Json& lease) { return lease["metadata"]["name"] == freeze::kLeaderLease; });
  return leases;
}

bool Story::was(const std::string& kind) {
  return cluster.locked([&] {
    const auto& timeline = cluster.truth().timeline();
    return std::any_of(timeline.begin(), timeline.end(), [&](const auto& entry) { return entry.kind == kind; });
  });
}

bool Story::frozen(const std::string& vm) {
  return cluster.locked([&] { return cluster.truth().frozen_now(vm); });
}

cluster::Consistency Story::truth(const std::string& backup, int disks) {
  return cluster.locked([&] { return cluster.truth().consistency("vms", backup, disks); });
}

Millis Story::longest_frozen(const std::string& vm) {
  return cluster.locked([&] { return cluster.truth().longest_frozen(vm); });
}

int Story::calls(const std::string& caller, const std::string& verb) {
  return cluster.locked([&] {
    if (verb.empty()) return cluster.faults().calls(caller);
    const auto& ledger = cluster.faults().ledger();
    const auto found = ledger.find(caller);
    return found == ledger.end() || !found->second.contains(verb) ? 0 : found->second.at(verb);
  });
}

}  // namespace sim
