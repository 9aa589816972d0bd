// What the API shows of a guest: VirtualMachine, VirtualMachineInstance and PVCs.
#include "test/double/api/metadata.h"
#include "test/double/api/status.h"
#include "test/double/api/store.h"
#include "test/double/kubevirt/guest.h"

namespace cluster {
namespace {

using namespace std::chrono_literals;

constexpr Millis kPollInterval = 5s;

Json claim_volume(const std::string& name, const std::string& claim) {
  return {{"name", name}, {"persistentVolumeClaim", {{"claimName", claim}}}};
}

Json cloud_init(const std::string& vm) {
  return {{"name", "cloudinitdisk"}, {"cloudInitNoCloud", {{"secretRef", {{"name", vm}}}}}};
}

Json claim(const std::string& ns, const std::string& name) {
  return {{"apiVersion", "v1"},
          {"kind", "PersistentVolumeClaim"},
          {"metadata", {{"name", name}}},
          {"spec",
           {{"accessModes", {"ReadWriteMany"}},
            {"storageClassName", "harvester-longhorn"},
            {"volumeMode", "Block"},
            {"volumeName", "pvc-" + ns + "." + name}}},
          {"status", {{"phase", "Bound"}}}};
}

Json condition(const char* type, const char* reason = "") {
  Json json = {{"type", type}, {"status", "True"}, {"lastProbeTime", nullptr}, {"lastTransitionTime", nullptr}};
  if (*reason != '\0') json["reason"] = reason;
  return json;
}

}  // namespace

std::vector<std::string> Guests::Guest::disks() const {
  std::vector<std::string> claims;
  for (int i = 0; i < options.disks; ++i) claims.push_back(options.name + "-disk-" + std::to_string(i));
  claims.insert(claims.end(), options.shares.begin(), options.shares.end());
  return claims;
}

std::vector<std::string> Guests::Guest::hot_plugged() const {
  std::vector<std::string> claims;
  for (int i = 0; i < options.hot_plugged; ++i) claims.push_back(options.name + "-hot-" + std::to_string(i));
  return claims;
}

void Guests::create_objects(const GuestRef& guest) {
  std::vector<std::string> own = guest->disks();
  own.resize(static_cast<std::size_t>(guest->options.disks));
  for (const std::string& hot : guest->hot_plugged()) own.push_back(hot);
  const ResourceType& claims = store_.resources().at("", "persistentvolumeclaims");
  for (const std::string& name : own) store_.create(claims, guest->options.ns, claim(guest->options.ns, name));
  create_vm(guest);
}

void Guests::create_vm(const GuestRef& guest) {
  const VmOptions& options = guest->options;
  Json volumes = Json::array();
  for (const std::string& disk : guest->disks()) {
    volumes.push_back(claim_volume("disk-" + std::to_string(volumes.size()), disk));
  }
  volumes.push_back(cloud_init(options.name));
  const char* strategy = !options.ended.empty() ? "Manual" : options.running ? "RerunOnFailure" : "Halted";
  store_.create(store_.resources().at("kubevirt.io", "virtualmachines"), options.ns,
                {{"apiVersion", "kubevirt.io/v1"},
                 {"kind", "VirtualMachine"},
                 {"metadata", {{"name", options.name}, {"annotations", options.annotations}}},
                 {"spec", {{"runStrategy", strategy}, {"template", {{"spec", {{"volumes", volumes}}}}}}},
                 {"status", {{"printableStatus", "Stopped"}}}});
}

void Guests::create_vmi(const GuestRef& guest) {
  const VmOptions& options = guest->options;
  const ObjectRef vm = store_.get(store_.resources().at("kubevirt.io", "virtualmachines"), options.ns, options.name);
  Json volumes = vm->json["spec"]["template"]["spec"]["volumes"];
  for (const std::string& hot : guest->hot_plugged()) {
    volumes.push_back(claim_volume(hot, hot));
    volumes.back()["persistentVolumeClaim"]["hotpluggable"] = true;
  }
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
                 {"spec", {{"domain", {{"cpu", {{"cores", 2}}}}}, {"volumes", volumes}}}});
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
  for (std::size_t i = 0; i < guest.attachments.size(); ++i) {
    const ObjectRef pod = store_.get(store_.resources().at("", "pods"), options.ns, guest.attachments[i]);
    if (pod == nullptr) continue;
    status["volumeStatus"].push_back(
        {{"name", guest.hot_plugged()[i]},
         {"target", std::string("sd") + static_cast<char>('a' + i)},
         {"phase", "Ready"},
         {"hotplugVolume", {{"attachPodName", guest.attachments[i]}, {"attachPodUID", pod->json["metadata"]["uid"]}}}});
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
