#include "test/cluster/guests.h"

#include <stdexcept>

#include "test/cluster/guest.h"
#include "test/cluster/metadata.h"
#include "test/cluster/store.h"

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
  if (!options.running) return;
  guest->agent = options.agent;
  power_on(guest);
}

void Guests::power_on(const GuestRef& guest) {
  guest->powered = true;
  guest->shutting_down = false;
  ++guest->boot;
  truth_.powered(guest->key, true);
  create_vmi(guest);
  publish_vm(*guest);
}

// What was frozen is thawed for good: nobody writes any more.
void Guests::power_off(const GuestRef& guest) {
  guest->powered = guest->paused = guest->migrating = false;
  guest->agent_says_frozen = guest->vss_gave_up = guest->reported_frozen = false;
  guest->migration_state = Json();
  ++guest->timer;
  truth_.thawed(guest->key, "power-off");
  truth_.powered(guest->key, false);
  const ResourceType& type = store_.resources().at("kubevirt.io", "virtualmachineinstances");
  store_.update(type, guest->options.ns, guest->options.name, Store::Scope::kAll,
                [](Json& vmi) -> std::optional<Reply> {
                  vmi["metadata"].erase("finalizers");
                  vmi["status"]["phase"] = "Succeeded";
                  return std::nullopt;
                });
  publish_vm(*guest);
}

// The VMI is marked as being deleted, then the guest goes down, then the object.
void Guests::shut_down(const GuestRef& guest, bool start_again) {
  if (!guest->powered || guest->shutting_down) return;
  guest->shutting_down = true;
  store_.remove(store_.resources().at("kubevirt.io", "virtualmachineinstances"), guest->options.ns,
                guest->options.name);
  agenda_.after(kShutDown, [this, guest, start_again] {
    power_off(guest);
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
  publish_vmi(*guest);
}

std::string Guests::vm_of_pvc(const std::string& ns, const std::string& pvc) const {
  const std::size_t end = pvc.rfind("-disk-");
  if (end == std::string::npos) return "";
  const auto found = guests_.find(ns + "/" + pvc.substr(0, end));
  if (found == guests_.end()) return "";
  for (int i = 0; i < found->second->options.disks; ++i) {
    if (pvc.compare(end, std::string::npos, "-disk-" + std::to_string(i)) == 0) return found->first;
  }
  return "";
}

bool Guests::agent_connected(const std::string& ns, const std::string& name) const {
  const auto found = guests_.find(ns + "/" + name);
  return found != guests_.end() && found->second->powered && found->second->agent;
}

}  // namespace cluster
