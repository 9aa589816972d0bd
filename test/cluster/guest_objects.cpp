// What the API shows of a guest: VirtualMachine, VirtualMachineInstance and PVCs.
#include "test/cluster/guest.h"
#include "test/cluster/metadata.h"
#include "test/cluster/status.h"
#include "test/cluster/store.h"

namespace cluster {
namespace {

using namespace std::chrono_literals;

constexpr Millis kPollInterval = 5s;

std::string disk_name(const VmOptions& options, int disk) {
  return options.name + "-disk-" + std::to_string(disk);
}

Json volumes(const VmOptions& options) {
  Json all = Json::array();
  for (int i = 0; i < options.disks; ++i) {
    all.push_back(
        {{"name", "disk-" + std::to_string(i)}, {"persistentVolumeClaim", {{"claimName", disk_name(options, i)}}}});
  }
  all.push_back({{"name", "cloudinitdisk"}, {"cloudInitNoCloud", {{"secretRef", {{"name", options.name}}}}}});
  return all;
}

Json condition(const char* type, const char* reason = "") {
  Json json = {{"type", type}, {"status", "True"}, {"lastProbeTime", nullptr}, {"lastTransitionTime", nullptr}};
  if (*reason != '\0') json["reason"] = reason;
  return json;
}

}  // namespace

void Guests::create_objects(const GuestRef& guest) {
  const VmOptions& options = guest->options;
  for (int i = 0; i < options.disks; ++i) {
    store_.create(store_.resources().at("", "persistentvolumeclaims"), options.ns,
                  {{"apiVersion", "v1"},
                   {"kind", "PersistentVolumeClaim"},
                   {"metadata", {{"name", disk_name(options, i)}}},
                   {"spec",
                    {{"accessModes", {"ReadWriteMany"}},
                     {"storageClassName", "harvester-longhorn"},
                     {"volumeMode", "Block"},
                     {"volumeName", "pv-" + disk_name(options, i)}}},
                   {"status", {{"phase", "Bound"}}}});
  }
  store_.create(store_.resources().at("kubevirt.io", "virtualmachines"), options.ns,
                {{"apiVersion", "kubevirt.io/v1"},
                 {"kind", "VirtualMachine"},
                 {"metadata", {{"name", options.name}, {"annotations", options.annotations}}},
                 {"spec",
                  {{"runStrategy", options.running ? "RerunOnFailure" : "Halted"},
                   {"template", {{"spec", {{"volumes", volumes(options)}}}}}}},
                 {"status", {{"printableStatus", "Stopped"}}}});
}

void Guests::create_vmi(const GuestRef& guest) {
  const VmOptions& options = guest->options;
  const ObjectRef vm = store_.get(store_.resources().at("kubevirt.io", "virtualmachines"), options.ns, options.name);
  const Json owner = {{"apiVersion", "kubevirt.io/v1"},     {"kind", "VirtualMachine"}, {"name", options.name},
                      {"uid", vm->json["metadata"]["uid"]}, {"controller", true},       {"blockOwnerDeletion", true}};
  store_.create(store_.resources().at("kubevirt.io", "virtualmachineinstances"), options.ns,
                {{"apiVersion", "kubevirt.io/v1"},
                 {"kind", "VirtualMachineInstance"},
                 {"metadata",
                  {{"name", options.name},
                   {"annotations", options.annotations},
                   {"finalizers", {"foregroundDeleteVirtualMachine"}},
                   {"ownerReferences", Json::array({owner})}}},
                 {"spec", {{"domain", {{"cpu", {{"cores", 2}}}}}, {"volumes", volumes(options)}}}});
  publish_vmi(*guest);
}

void Guests::publish_vmi(const Guest& guest) {
  if (!guest.powered) return;
  const VmOptions& options = guest.options;
  Json conditions = Json::array({condition("Ready"), condition("LiveMigratable")});
  if (guest.agent) conditions.push_back(condition("AgentConnected"));
  if (guest.paused) conditions.push_back(condition("Paused", "PausedByUser"));
  Json status = {{"phase", "Running"}, {"nodeName", "node-" + std::to_string(guest.moves)}, {"conditions", conditions}};
  if (guest.agent) {
    status["guestOSInfo"] = options.windows
                                ? Json{{"id", "mswindows"}, {"name", "Microsoft Windows"}, {"version", "2022"}}
                                : Json{{"id", "debian"}, {"name", "Debian GNU/Linux"}, {"versionId", "12"}};
  }
  if (guest.reported_frozen) status["fsFreezeStatus"] = "frozen";
  if (!guest.migration_state.is_null()) status["migrationState"] = guest.migration_state;
  store_.update(store_.resources().at("kubevirt.io", "virtualmachineinstances"), options.ns, options.name,
                Store::Scope::kAll, [&](Json& vmi) -> std::optional<Reply> {
                  vmi["status"] = status;
                  return std::nullopt;
                });
}

void Guests::publish_vm(const Guest& guest) {
  store_.update(store_.resources().at("kubevirt.io", "virtualmachines"), guest.options.ns, guest.options.name,
                Store::Scope::kAll, [&](Json& vm) -> std::optional<Reply> {
                  vm["status"]["created"] = guest.powered;
                  vm["status"]["ready"] = guest.powered;
                  vm["status"]["printableStatus"] = guest.powered ? "Running" : "Stopped";
                  return std::nullopt;
                });
}

Reply Guests::os_info(const std::string& ns, const std::string& name) const {
  const Lock lock = runtime_.lock();
  const auto found = guests_.find(ns + "/" + name);
  if (found == guests_.end() || !found->second->powered) {
    return not_found(store_.resources().at("kubevirt.io", "virtualmachineinstances"), name);
  }
  if (!found->second->agent) return refuse(409, "Conflict", "VMI does not have guest agent connected");
  const Json commands =
      Json::array({{{"name", "guest-ping"}, {"enabled", true}},
                   {{"name", "guest-fsfreeze-freeze"}, {"enabled", found->second->options.freeze_command}}});
  return json_reply(200, Json{{"kind", "VirtualMachineInstanceGuestAgentInfo"},
                              {"apiVersion", "subresources.kubevirt.io/v1"},
                              {"guestAgentVersion", "7.2.0"},
                              {"supportedCommands", commands}}
                             .dump());
}

// virt-launcher asks the agent every 5 s; only what changed since is of interest, so only then a poll is made.
void Guests::poll_soon(const GuestRef& guest) {
  if (guest->poll_pending) return;
  guest->poll_pending = true;
  const auto since = std::chrono::duration_cast<Millis>(runtime_.now().time_since_epoch()) - guest->poll_phase;
  agenda_.after(kPollInterval - since % kPollInterval, [this, guest] {
    guest->poll_pending = false;
    if (!guest->powered || !guest->agent || guest->paused) return;
    if (guest->reported_frozen == guest->agent_says_frozen) return;
    guest->reported_frozen = guest->agent_says_frozen;
    publish_vmi(*guest);
  });
}

}  // namespace cluster
