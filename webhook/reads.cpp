#include "webhook/reads.h"

#include <algorithm>

#include "freeze/names.h"
#include "kube/paths.h"
#include "kube/rest.h"

namespace snapfreeze::webhook {
namespace {

// nullopt for what does not exist.
template <class View>
Result<std::optional<View>> view_of(const Result<kube::Response>& reply) {
  const auto object = kube::object_of(reply);
  if (object) return std::optional<View>(View::from(*object));
  if (object.error().code == Code::kNotFound) return std::optional<View>();
  return object.error();
}

std::string members_path(const Subject& subject) {
  const std::string selector = std::string(freeze::kBackupLabel) + "=" + subject.hold.name;
  return kube::labelled_path(kube::kVolumeSnapshots, subject.namespace_, selector);
}

// The requests for snapshots: this one's, if it has a name, then the others'.
std::vector<std::string> snapshot_paths(const Subject& subject) {
  std::vector<std::string> paths;
  const auto path_of = [&](const std::string& name) {
    return kube::object_path(kube::kVolumeSnapshots, subject.namespace_, name);
  };
  if (!subject.name.empty()) paths.push_back(path_of(subject.name));
  for (const std::string& member : subject.members) {
    if (member != subject.name) paths.push_back(path_of(member));
  }
  if (subject.hold.kind == freeze::Hold::Kind::kLabel) paths.push_back(members_path(subject));
  return paths;
}

bool lists_another(const Json& list, std::string_view name) {
  return std::ranges::any_of(list["items"].items(),
                             [&](const Json& item) { return item["metadata"]["name"].string() != name; });
}

// What a reply to one of snapshot_paths() adds.
Result<void> note_snapshot(const Subject& subject, std::size_t index, const Result<kube::Response>& reply,
                           Facts& facts) {
  const auto object = kube::object_of(reply);
  if (!object) {
    if (object.error().code == Code::kNotFound) return {};
    return object.error();
  }
  if (index == 0 && !subject.name.empty()) {
    facts.exists = true;
  } else if (subject.hold.kind == freeze::Hold::Kind::kHarvester || lists_another(*object, subject.name)) {
    facts.other_member = true;
  }
  return {};
}

}  // namespace

Result<std::optional<kube::BackupView>> read_backup(kube::KubeApi& api, std::string_view ns, std::string_view name,
                                                    Millis timeout) {
  const std::string path = kube::object_path(kube::kHarvesterBackups, ns, name);
  return view_of<kube::BackupView>(api.call(kube::get_request(path, timeout)));
}

Result<std::string> find_vm(kube::KubeApi& api, std::string_view ns, std::string_view pvc, Millis timeout) {
  const auto list = kube::get(api, kube::collection_path(kube::kVirtualMachineInstances, ns), timeout);
  if (!list) return list.error();
  std::string found;
  for (const Json& item : (*list)["items"].items()) {
    const auto vmi = kube::VmiView::from(item);
    const bool mounts = std::ranges::find(vmi.claims, pvc) != vmi.claims.end();
    if (!mounts || !vmi.running()) continue;
    if (!found.empty()) return std::string();
    found = vmi.metadata.name;
  }
  return found;
}

Result<void> gather(kube::KubeApi& api, const Subject& subject, Millis timeout, Facts& facts) {
  std::vector<kube::Request> requests;
  const auto ask = [&](std::string path) { requests.push_back(kube::get_request(std::move(path), timeout)); };
  ask(kube::object_path(kube::kVirtualMachineInstances, subject.namespace_, subject.vm));
  ask(kube::object_path(kube::kVirtualMachines, subject.namespace_, subject.vm));
  for (std::string& path : snapshot_paths(subject)) ask(std::move(path));
  const auto replies = api.call_all(requests);

  facts.hold = subject.hold;
  const auto vmi = view_of<kube::VmiView>(replies[0]);
  if (!vmi) return vmi.error();
  const auto vm = view_of<kube::VmView>(replies[1]);
  if (!vm) return vm.error();
  facts.guest = {*vmi, *vm};
  for (std::size_t i = 2; i < replies.size(); ++i) {
    const auto noted = note_snapshot(subject, i - 2, replies[i], facts);
    if (!noted) return noted.error();
  }
  return {};
}

Result<bool> may_freeze(kube::KubeApi& api, const User& user, std::string_view ns, std::string_view vm,
                        Millis timeout) {
  const Json attributes = Json::object({{"group", kube::kGuestCalls.group},
                                        {"version", kube::kGuestCalls.version},
                                        {"resource", kube::kGuestCalls.plural},
                                        {"subresource", "freeze"},
                                        {"verb", "update"},
                                        {"namespace", ns},
                                        {"name", vm}});
  Json spec = Json::object({{"resourceAttributes", attributes}, {"user", user.name}});
  if (!user.uid.empty()) spec.set("uid", user.uid);
  if (user.groups.is_array()) spec.set("groups", user.groups);
  if (user.extra.is_object()) spec.set("extra", user.extra);
  const Json review = Json::object({{"apiVersion", kube::api_version(kube::kSubjectAccessReviews)},
                                    {"kind", kube::kSubjectAccessReviews.kind},
                                    {"spec", std::move(spec)}});
  const auto answer = kube::create(api, kube::collection_path(kube::kSubjectAccessReviews), review, timeout);
  if (!answer) return answer.error();
  return (*answer)["status"]["allowed"].boolean();
}

bool is_object_name(std::string_view name) {
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (name.empty() || name.size() > 253 || !alphanumeric(name.front()) || !alphanumeric(name.back())) return false;
  return std::ranges::all_of(name, [&](char c) { return alphanumeric(c) || c == '-' || c == '.'; });
}

}  // namespace snapfreeze::webhook
