// The pods that hold a guest's disks, as KubeVirt makes them: the launcher has the disks that the guest booted with, a
// pod of its own has each one that was plugged in later.
#include "test/double/api/metadata.h"
#include "test/double/api/store.h"
#include "test/double/kubevirt/guest.h"

namespace cluster {
namespace {

Json pod_object(const std::string& name, const Json& labels, const Json& owner) {
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", {{"name", name}, {"labels", labels}, {"ownerReferences", Json::array({owner})}}},
          {"status", {{"phase", "Running"}}}};
}

Json owner_reference(const char* version, const char* kind, const Json& object) {
  return {{"apiVersion", version},
          {"kind", kind},
          {"name", object["metadata"]["name"]},
          {"uid", object["metadata"]["uid"]},
          {"controller", true},
          {"blockOwnerDeletion", true}};
}

Json claim_volume(const std::string& name, const std::string& claim) {
  return {{"name", name}, {"persistentVolumeClaim", {{"claimName", claim}}}};
}

}  // namespace

// A second one is the target of a migration.
void Guests::create_launcher(const GuestRef& guest) {
  const VmOptions& options = guest->options;
  const ObjectRef vmi =
      store_.get(store_.resources().at("kubevirt.io", "virtualmachineinstances"), options.ns, options.name);
  if (vmi == nullptr) return;
  std::string& name = guest->migrating ? guest->target : guest->launcher;
  name = generated_name(runtime_, "virt-launcher-" + options.name.substr(0, 40) + "-");
  const Json labels = {{"kubevirt.io", "virt-launcher"},
                       {"kubevirt.io/created-by", vmi->json["metadata"]["uid"]},
                       {"vm.kubevirt.io/name", options.name.substr(0, 63)}};
  Json pod = pod_object(name, labels, owner_reference("kubevirt.io/v1", "VirtualMachineInstance", vmi->json));
  pod["metadata"]["annotations"]["kubevirt.io/domain"] = options.name;
  Json volumes = Json::array({{{"name", "private"}, {"emptyDir", Json::object()}}});
  const std::vector<std::string> disks = guest->disks();
  for (std::size_t i = 0; i < disks.size(); ++i) {
    volumes.push_back(claim_volume("disk-" + std::to_string(i), disks[i]));
  }
  pod["spec"] = {{"nodeName", "node-" + std::to_string(guest->moves)}, {"volumes", volumes}};
  store_.create(store_.resources().at("", "pods"), options.ns, pod);
}

void Guests::create_attachments(const GuestRef& guest) {
  const ResourceType& pods = store_.resources().at("", "pods");
  const ObjectRef launcher = store_.get(pods, guest->options.ns, guest->launcher);
  guest->attachments.clear();
  if (launcher == nullptr) return;
  for (const std::string& claim : guest->hot_plugged()) {
    guest->attachments.push_back(generated_name(runtime_, "hp-volume-"));
    Json pod = pod_object(guest->attachments.back(), {{"kubevirt.io", "hotplug-disk"}},
                          owner_reference("v1", "Pod", launcher->json));
    pod["spec"] = {{"nodeName", launcher->json["spec"]["nodeName"]},
                   {"volumes", Json::array({claim_volume(claim, claim)})}};
    store_.create(pods, guest->options.ns, pod);
  }
}

// It ends as its guest did, and stays as long as the VMI does.
void Guests::end_launcher(const GuestRef& guest, const std::string& pod, const std::string& phase) {
  store_.update(store_.resources().at("", "pods"), guest->options.ns, pod, Store::Scope::kAll,
                [&](Json& object) -> std::optional<Reply> {
                  object["status"]["phase"] = phase;
                  return std::nullopt;
                });
}

void Guests::end_pods(const GuestRef& guest, const std::string& phase) {
  const ResourceType& pods = store_.resources().at("", "pods");
  for (const std::string& attachment : guest->attachments) store_.remove(pods, guest->options.ns, attachment);
  guest->attachments.clear();
  end_launcher(guest, guest->launcher, phase);
  store_.remove(pods, guest->options.ns, guest->target);
  guest->target.clear();
}

void Guests::hold_disks(const Guest& guest, bool on) {
  for (const auto& claims : {guest.disks(), guest.hot_plugged()}) {
    for (const std::string& claim : claims) truth_.held(guest.options.ns + "/" + claim, "vm " + guest.key, on);
  }
}

}  // namespace cluster
