#include "test/double/kubevirt/guests.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "test/double/api/metadata.h"
#include "test/double/api/store.h"
#include "test/double/kubevirt/guest.h"

namespace cluster {
namespace {

using namespace std::chrono_literals;

constexpr auto kShutDown = 500ms;
constexpr auto kBootAgain = 1s;
constexpr auto kAgentConnects = 2s;

}  // namespace

Guests::Guests(Runtime& runtime, Store& store, Agenda& agenda, Truth& truth)
    : runtime_(runtime), store_(store), agenda_(agenda), truth_(truth) {
  watch_vm_snapshots();
  watch_deletions();
}

// Whoever deletes a VM or its VMI ends the guest; a VMI alone is made again.
void Guests::watch_deletions() {
  const auto shut_down_soon = [this](const Json& metadata, bool start_again) {
    agenda_.after(0ms, [this, key = metadata.value("namespace", "") + "/" + metadata.value("name", ""), start_again] {
      if (const auto guest = guests_.find(key); guest != guests_.end()) shut_down(guest->second, start_again);
    });
  };
  store_.observe("kubevirt.io", "virtualmachines", [shut_down_soon](const WatchEvent& event) {
    if (event.type == EventType::kDeleted) shut_down_soon(event.object->json["metadata"], false);
  });
  store_.observe("kubevirt.io", "virtualmachineinstances", [shut_down_soon](const WatchEvent& event) {
    const Json& metadata = event.object->json["metadata"];
    if (event.type == EventType::kModified && metadata.contains("deletionTimestamp")) shut_down_soon(metadata, true);
  });
}

Guests::GuestRef Guests::find(const std::string& ns, const std::string& name) const {
  const auto found = guests_.find(ns + "/" + name);
  if (found == guests_.end()) throw std::out_of_range("no VM " + ns + "/" + name);
  return found->second;
}

void Guests::add(const VmOptions& options) {
  const Lock lock = runtime_.lock();
  const auto guest = std::make_shared<Guest>();
  guest->options = options;
  guest->key = options.ns + "/" + options.name;
  guest->poll_phase = runtime_.random(0ms, 4999ms);
  guests_[guest->key] = guest;
  create_objects(guest);
  if (!options.ended.empty()) {
    create_vmi(guest);
    create_launcher(guest);
    power_off(guest, options.ended);
    return;
  }
  if (!options.running) return;
  guest->agent = options.agent;
  power_on(guest);
}

void Guests::power_on(const GuestRef& guest) {
  guest->powered = true;
  guest->shutting_down = false;
  ++guest->boot;
  truth_.powered(guest->key, true);
  hold_disks(*guest, true);
  create_vmi(guest);
  create_launcher(guest);
  create_attachments(guest);
  publish_vmi(*guest);
  publish_vm(*guest);
}

// What was frozen is thawed for good: nobody writes any more.
void Guests::power_off(const GuestRef& guest, const std::string& phase) {
  const bool had_power = guest->powered;
  guest->powered = guest->paused = guest->migrating = false;
  guest->agent_says_frozen = guest->vss_gave_up = guest->reported_frozen = false;
  guest->migration_state = Json();
  ++guest->timer;
  truth_.thawed(guest->key, "power-off");
  if (had_power) truth_.powered(guest->key, false);
  hold_disks(*guest, false);
  end_pods(guest, phase);
  const Json ready = {{"type", "Ready"}, {"status", "False"}, {"reason", "GuestNotRunning"}};
  store_.update(store_.resources().at("kubevirt.io", "virtualmachineinstances"), guest->options.ns, guest->options.name,
                Store::Scope::kAll, [&](Json& vmi) -> std::optional<Reply> {
                  if (vmi["metadata"].contains("deletionTimestamp")) vmi["metadata"].erase("finalizers");
                  vmi["status"]["phase"] = phase;
                  vmi["status"]["conditions"] = Json::array({ready});
                  vmi["status"].erase("fsFreezeStatus");
                  return std::nullopt;
                });
  publish_vm(*guest);
}

void Guests::end_from_inside(const std::string& ns, const std::string& name, const std::string& phase) {
  const Lock lock = runtime_.lock();
  const GuestRef guest = find(ns, name);
  if (guest->powered) power_off(guest, phase);
}

void Guests::shut_down_inside(const std::string& ns, const std::string& name) {
  end_from_inside(ns, name, "Succeeded");
}

void Guests::crash(const std::string& ns, const std::string& name) {
  end_from_inside(ns, name, "Failed");
}

void Guests::reset(const std::string& ns, const std::string& name) {
  const Lock lock = runtime_.lock();
  const GuestRef guest = find(ns, name);
  if (!guest->powered) return;
  guest->agent = guest->agent_says_frozen = guest->vss_gave_up = false;
  truth_.thawed(guest->key, "reset");
  publish_vmi(*guest);
  agenda_.after(kAgentConnects, [this, guest, boot = guest->boot, number = ++guest->resets] {
    if (guest->boot != boot || guest->resets != number || !guest->options.agent) return;
    guest->agent = true;
    publish_vmi(*guest);
    poll_soon(guest);
  });
}

void Guests::remove(const std::string& ns, const std::string& name) {
  const Lock lock = runtime_.lock();
  shut_down(find(ns, name), false);
  store_.remove(store_.resources().at("kubevirt.io", "virtualmachines"), ns, name);
}

void Guests::recreate(const std::string& ns, const std::string& name) {
  const Lock lock = runtime_.lock();
  const GuestRef guest = find(ns, name);
  if (guest->powered) throw std::out_of_range("VM " + guest->key + " still runs");
  create_vm(guest);
  guest->agent = guest->options.agent;
  power_on(guest);
}

void Guests::report_all() {
  for (const auto& [key, guest] : guests_) {
    publish_vmi(*guest);
    publish_vm(*guest);
  }
}

// The VMI is marked as being deleted, then the guest goes down, then the object.
void Guests::shut_down(const GuestRef& guest, bool start_again) {
  if (!guest->powered || guest->shutting_down) return;
  guest->shutting_down = true;
  store_.remove(store_.resources().at("kubevirt.io", "virtualmachineinstances"), guest->options.ns,
                guest->options.name);
  agenda_.after(kShutDown, [this, guest, start_again] {
    power_off(guest, "Succeeded");
    if (!start_again) return;
    agenda_.after(kBootAgain, [this, guest] {
      guest->agent = false;
      power_on(guest);
      agenda_.after(kAgentConnects, [this, guest, boot = guest->boot] {
        if (guest->boot != boot || !guest->options.agent) return;
        guest->agent = true;
        publish_vmi(*guest);
      });
    });
  });
}

void Guests::stop(const std::string& ns, const std::string& name) {
  const Lock lock = runtime_.lock();
  shut_down(find(ns, name), false);
}

void Guests::restart(const std::string& ns, const std::string& name) {
  const Lock lock = runtime_.lock();
  shut_down(find(ns, name), true);
}

void Guests::start(const std::string& ns, const std::string& name) {
  const Lock lock = runtime_.lock();
  const GuestRef guest = find(ns, name);
  if (guest->powered) return;
  const ResourceType& vmis = store_.resources().at("kubevirt.io", "virtualmachineinstances");
  store_.remove(vmis, ns, name);  // one that ended from inside
  store_.update(vmis, ns, name, Store::Scope::kAll, [](Json& vmi) -> std::optional<Reply> {
    vmi["metadata"].erase("finalizers");
    return std::nullopt;
  });
  guest->agent = guest->options.agent;
  power_on(guest);
}

void Guests::pause(const std::string& ns, const std::string& name) {
  const Lock lock = runtime_.lock();
  const GuestRef guest = find(ns, name);
  guest->paused = true;
  publish_vmi(*guest);
}

void Guests::resume(const std::string& ns, const std::string& name) {
  const Lock lock = runtime_.lock();
  const GuestRef guest = find(ns, name);
  guest->paused = false;
  publish_vmi(*guest);
  poll_soon(guest);
}

void Guests::set_agent(const std::string& ns, const std::string& name, bool connected) {
  const Lock lock = runtime_.lock();
  const GuestRef guest = find(ns, name);
  guest->agent = connected;
  publish_vmi(*guest);
  if (connected) poll_soon(guest);
}

void Guests::set_latency(const std::string& ns, const std::string& name, Millis freeze, Millis thaw) {
  const Lock lock = runtime_.lock();
  const GuestRef guest = find(ns, name);
  guest->options.freeze_latency = freeze;
  guest->options.thaw_latency = thaw;
}

void Guests::add_fault(const std::string& ns, const std::string& name, GuestFault fault) {
  const Lock lock = runtime_.lock();
  const GuestRef guest = find(ns, name);
  guest->faults.push_back(std::move(fault));
  guest->faults_seen.push_back(0);
}

void Guests::clear_faults() {
  const Lock lock = runtime_.lock();
  for (const auto& [key, guest] : guests_) {
    guest->faults.clear();
    guest->faults_seen.clear();
  }
}

void Guests::migrate(const std::string& ns, const std::string& name, Millis duration) {
  const Lock lock = runtime_.lock();
  const GuestRef guest = find(ns, name);
  if (!guest->powered || guest->migrating) return;
  guest->migrating = true;
  guest->migration_state = {{"startTimestamp", rfc3339(runtime_.wall())},
                            {"migrationUid", new_uid(runtime_)},
                            {"sourceNode", "node-" + std::to_string(guest->moves)},
                            {"targetNode", "node-" + std::to_string(guest->moves + 1)}};
  truth_.note("migration", guest->key, "begins");
  create_launcher(guest);
  publish_vmi(*guest);
  agenda_.after(duration, [this, guest, boot = guest->boot] { complete_migration(guest, boot); });
}

// The guest goes on as it was, frozen or not, in another launcher: the timer stays behind.
void Guests::complete_migration(const GuestRef& guest, std::uint64_t boot) {
  if (guest->boot != boot || !guest->migrating) return;
  guest->migrating = false;
  ++guest->timer;
  ++guest->moves;
  guest->migration_state["endTimestamp"] = rfc3339(runtime_.wall());
  guest->migration_state["completed"] = true;
  truth_.note("migration", guest->key, "completes");
  end_launcher(guest, guest->launcher, "Succeeded");
  guest->launcher = std::exchange(guest->target, "");
  publish_vmi(*guest);
}

std::string Guests::vm_of_pvc(const std::string& ns, const std::string& pvc) const {
  for (const auto& [key, guest] : guests_) {
    if (guest->options.ns != ns) continue;
    const std::vector<std::string> disks = guest->disks();
    const std::vector<std::string> hot = guest->hot_plugged();
    const auto own_end = disks.begin() + guest->options.disks;  // what it shares is another's
    if (std::find(disks.begin(), own_end, pvc) != own_end) return key;
    if (std::find(hot.begin(), hot.end(), pvc) != hot.end()) return key;
  }
  return "";
}

bool Guests::agent_connected(const std::string& ns, const std::string& name) const {
  const auto found = guests_.find(ns + "/" + name);
  return found != guests_.end() && found->second->powered && found->second->agent;
}

}  // namespace cluster
