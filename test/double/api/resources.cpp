#include "test/double/api/resources.h"

#include <map>
#include <set>
#include <stdexcept>

#include "test/double/api/status.h"

namespace cluster {

Resources::Resources()
    : types_{
          {"", "v1", "namespaces", "Namespace", false, true},
          {"", "v1", "events", "Event"},
          {"", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", true, true},
          {"", "v1", "persistentvolumes", "PersistentVolume", false, true},
          {"", "v1", "pods", "Pod", true, true},
          {"", "v1", "secrets", "Secret"},
          {"", "v1", "configmaps", "ConfigMap"},
          {"events.k8s.io", "v1", "events", "Event"},
          {"coordination.k8s.io", "v1", "leases", "Lease"},
          {"admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration",
           false},
          {"snapshot.storage.k8s.io", "v1", "volumesnapshots", "VolumeSnapshot", true, true},
          {"snapshot.storage.k8s.io", "v1", "volumesnapshotcontents", "VolumeSnapshotContent", false, true},
          {"longhorn.io", "v1beta2", "snapshots", "Snapshot", true, true},
          {"harvesterhci.io", "v1beta1", "virtualmachinebackups", "VirtualMachineBackup"},
          {"harvesterhci.io", "v1beta1", "settings", "Setting", false},
          {"kubevirt.io", "v1", "kubevirts", "KubeVirt"},
          {"kubevirt.io", "v1", "virtualmachines", "VirtualMachine", true, true},
          {"kubevirt.io", "v1", "virtualmachineinstances", "VirtualMachineInstance"},
          {"snapshot.kubevirt.io", "v1beta1", "virtualmachinesnapshots", "VirtualMachineSnapshot", true, true},
          {"backup.kubevirt.io", "v1alpha1", "virtualmachinebackups", "VirtualMachineBackup", true, true},
          {"backup.kubevirt.io", "v1alpha1", "virtualmachinebackuptrackers", "VirtualMachineBackupTracker", true, true},
      } {}

const ResourceType* Resources::find(const std::string& group, const std::string& version,
                                    const std::string& resource) const {
  for (const ResourceType& type : types_) {
    if (type.served && type.resource == resource && type.group == group &&
        (version.empty() || type.version == version)) {
      return &type;
    }
  }
  return nullptr;
}

const ResourceType& Resources::at(const std::string& group, const std::string& resource) const {
  for (const ResourceType& type : types_) {
    if (type.resource == resource && type.group == group) return type;
  }
  throw std::out_of_range("no kind " + group + "/" + resource);
}

ResourceType& Resources::need(const std::string& group, const std::string& resource) {
  for (ResourceType& type : types_) {
    if (type.resource == resource && type.group == group) return type;
  }
  throw std::out_of_range("no kind " + group + "/" + resource);
}

void Resources::serve(const std::string& group, const std::string& resource, bool served) {
  need(group, resource).served = served;
}

void Resources::serve_version(const std::string& group, const std::string& resource, const std::string& version) {
  need(group, resource).version = version;
}

namespace {

Json group_version(const std::string& group, const std::string& version) {
  return {{"groupVersion", group + "/" + version}, {"version", version}};
}

Json group_json(const std::string& group, const std::set<std::string>& versions) {
  Json all = Json::array();
  for (const std::string& version : versions) all.push_back(group_version(group, version));
  return {{"name", group}, {"versions", all}, {"preferredVersion", all.front()}};
}

Json resource_json(const ResourceType& type, const std::string& suffix, const Json& verbs) {
  return {{"name", type.resource + suffix},
          {"singularName", ""},
          {"namespaced", type.namespaced},
          {"kind", type.kind},
          {"verbs", verbs}};
}

Json resource_list(const std::string& group_version_name, Json resources) {
  return {{"kind", "APIResourceList"},
          {"apiVersion", "v1"},
          {"groupVersion", group_version_name},
          {"resources", std::move(resources)}};
}

}  // namespace

Reply Resources::discover(const std::string& path) const {
  std::map<std::string, std::set<std::string>> groups = {{"authorization.k8s.io", {"v1"}},
                                                         {"subresources.kubevirt.io", {"v1"}}};
  std::map<std::string, Json> lists;
  lists["authorization.k8s.io/v1"].push_back({{"name", "subjectaccessreviews"},
                                              {"singularName", ""},
                                              {"namespaced", false},
                                              {"kind", "SubjectAccessReview"},
                                              {"verbs", {"create"}}});
  lists["authorization.k8s.io/v1"].push_back({{"name", "selfsubjectaccessreviews"},
                                              {"singularName", ""},
                                              {"namespaced", false},
                                              {"kind", "SelfSubjectAccessReview"},
                                              {"verbs", {"create"}}});
  lists["subresources.kubevirt.io/v1"].push_back({{"name", "virtualmachineinstances/guestosinfo"},
                                                  {"singularName", ""},
                                                  {"namespaced", true},
                                                  {"kind", "VirtualMachineInstance"},
                                                  {"verbs", {"get"}}});
  for (const char* operation : {"freeze", "unfreeze"}) {
    lists["subresources.kubevirt.io/v1"].push_back({{"name", std::string("virtualmachineinstances/") + operation},
                                                    {"singularName", ""},
                                                    {"namespaced", true},
                                                    {"kind", "VirtualMachineInstance"},
                                                    {"verbs", {"update"}}});
  }
  for (const ResourceType& type : types_) {
    if (!type.served) continue;
    groups[type.group].insert(type.version);
    Json& resources = lists[type.api_version()];
    resources.push_back(resource_json(type, "", {"create", "delete", "get", "list", "patch", "update", "watch"}));
    if (type.has_status) resources.push_back(resource_json(type, "/status", {"get", "patch", "update"}));
  }
  Json body;
  if (path == "/api") {
    body = {{"kind", "APIVersions"}, {"versions", {"v1"}}};
  } else if (path == "/apis") {
    body = {{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", Json::array()}};
    for (const auto& [group, versions] : groups) {
      if (!group.empty()) body["groups"].push_back(group_json(group, versions));
    }
  } else if (path == "/api/v1") {
    body = resource_list("v1", lists["v1"]);
  } else {
    const std::string rest = path.rfind("/apis/", 0) == 0 ? path.substr(6) : "";
    if (groups.count(rest) != 0 && !rest.empty()) {
      body = group_json(rest, groups[rest]);
      body["kind"] = "APIGroup";
      body["apiVersion"] = "v1";
    } else if (rest != "v1" && lists.count(rest) != 0) {
      body = resource_list(rest, lists[rest]);
    } else {
      Reply reply = json_reply(404, "404 page not found\n");
      reply.headers["Content-Type"] = "text/plain; charset=utf-8";
      return reply;
    }
  }
  return json_reply(200, body.dump());
}

}  // namespace cluster
