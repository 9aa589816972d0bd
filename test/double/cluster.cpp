#include "test/double/cluster.h"

namespace cluster {

Cluster::Cluster(Runtime& runtime)
    : runtime_(runtime),
      agenda_(runtime),
      store_(runtime, agenda_),
      truth_(runtime),
      guests_(runtime, store_, agenda_, truth_),
      admission_(runtime, store_, truth_),
      api_(runtime, store_, faults_, access_, guests_, admission_),
      longhorn_(runtime, truth_),
      storage_(runtime, store_, agenda_, truth_, guests_, faults_, longhorn_),
      kubelet_(store_, agenda_, truth_),
      harvester_(runtime, store_, agenda_, api_, truth_) {
  const Lock lock = runtime_.lock();
  store_.observe("snapshot.storage.k8s.io", "volumesnapshots", [this](const WatchEvent& event) {
    if (event.type == EventType::kModified) return;
    const Json& metadata = event.object->json["metadata"];
    truth_.note(event.type == EventType::kAdded ? "create" : "delete",
                metadata.value("namespace", "") + "/" + metadata.value("name", ""), "VolumeSnapshot");
  });
}

// With real threads, what they run on must outlive them.
Cluster::~Cluster() {
  harvester_.stop();
  agenda_.stop();
}

void Cluster::add_namespace(const std::string& name, const std::map<std::string, std::string>& labels) {
  const Lock lock = runtime_.lock();
  store_.add_namespace(name, labels);
}

void Cluster::add_vm(const VmOptions& options) {
  add_namespace(options.ns);
  guests_.add(options);
}

Reply Cluster::call(const std::string& caller, const std::string& method, const std::string& target, const Json& body,
                    const std::string& content_type) {
  HttpRequest request;
  request.method = method;
  request.set_target(target);
  if (!body.is_null()) {
    request.body = body.dump();
    request.headers["content-type"] = content_type;
  }
  request.caller = caller;
  request.user_agent = caller + "/v1";
  return api_.handle(request);
}

Json Cluster::start_backup(const std::string& ns, const std::string& name, const std::string& vm,
                           const std::string& deadline, const Json& annotations) {
  Json spec = {{"type", "backup"}, {"source", {{"apiGroup", "kubevirt.io"}, {"kind", "VirtualMachine"}, {"name", vm}}}};
  if (!deadline.empty()) spec["fsFreezeDeadline"] = deadline;
  return call("admin", "POST", "/apis/harvesterhci.io/v1beta1/namespaces/" + ns + "/virtualmachinebackups",
              {{"apiVersion", "harvesterhci.io/v1beta1"},
               {"kind", "VirtualMachineBackup"},
               {"metadata", {{"name", name}, {"annotations", annotations}}},
               {"spec", spec}})
      .json();
}

Reply Cluster::create_snapshot(const std::string& caller, const std::string& ns, const std::string& name,
                               const std::string& pvc, const Json& labels, const Json& annotations) {
  return call(
      caller, "POST", "/apis/snapshot.storage.k8s.io/v1/namespaces/" + ns + "/volumesnapshots",
      {{"apiVersion", "snapshot.storage.k8s.io/v1"},
       {"kind", "VolumeSnapshot"},
       {"metadata", {{"name", name}, {"labels", labels}, {"annotations", annotations}}},
       {"spec", {{"source", {{"persistentVolumeClaimName", pvc}}}, {"volumeSnapshotClassName", "longhorn-snapshot"}}}});
}

Json Cluster::get(const std::string& group_resource, const std::string& ns, const std::string& name) {
  const std::size_t slash = group_resource.find('/');
  const Lock lock = runtime_.lock();
  const ObjectRef object =
      store_.get(store_.resources().at(group_resource.substr(0, slash), group_resource.substr(slash + 1)), ns, name);
  return object == nullptr ? Json() : object->json;
}

void Cluster::add_fault(const Fault& fault) {
  const Lock lock = runtime_.lock();
  faults_.add(fault);
}

void Cluster::restore_etcd(Millis ago) {
  const Lock lock = runtime_.lock();
  store_.restore(runtime_.now() - ago);
  truth_.note("api", "", "etcd restored to " + std::to_string(ago.count()) + " ms ago");
  // The time that a restart takes is short, but no connection survives it.
  faults_.go_down_until(runtime_.now() + Millis(200));
  store_.wake_watches();
  guests_.report_all();
}

void Cluster::api_down_for(Millis duration) {
  const Lock lock = runtime_.lock();
  faults_.go_down_until(runtime_.now() + duration);
  truth_.note("api", "", "down for " + std::to_string(duration.count()) + " ms");
  store_.wake_watches();
}

}  // namespace cluster
