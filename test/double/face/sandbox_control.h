// The sandbox's own endpoints under /sandbox/, for the admin: what a test or the demo does to the cluster, and the
// truth.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "test/double/cluster.h"

namespace cluster {

// All bodies are JSON objects; an unknown or wrong field is a 400 that names it, what does not exist a 404. Durations
// are in milliseconds.
//
//   POST   /sandbox/namespaces          {name, labels}
//   POST   /sandbox/vms                 VmOptions
//   POST   /sandbox/vms/{ns}/{name}/    stop | start | restart | pause | resume | shut-down-inside | crash | remove |
//                                       recreate
//          .../migrate {duration}  .../agent {connected}  .../latency {freeze, thaw}
//          .../fault {operation, kind: fail|halfway|late, nth, count, delay, caller}
//          .../snapshot {name, duration}                         KubeVirt's own
//          .../kubevirt-backup {name, duration, tracker, fails}  likewise, of backup.kubevirt.io
//   POST   /sandbox/kubevirt            {major, minor}
//   POST   /sandbox/storage             DiskOptions, and {ns, pvc} for one disk only
//   POST   /sandbox/longhorn            {mood: a BackendMood, for}: how its REST API answers
//   POST   /sandbox/harvester           HarvesterOptions
//   POST   /sandbox/harvester/reconcile {ns, name, times, every}
//   POST   /sandbox/harvester/restart
//   POST   /sandbox/webhook             WebhookOptions, and {replicas: [{host, port}]}
//   POST   /sandbox/admission           {reject: {ns, name, times}} or {rounds}
//   POST   /sandbox/faults              a Fault;  DELETE: none any more
//   POST   /sandbox/killers             {caller, pid}: whom the faults kill-before, kill-after and stop-after hit
//   POST   /sandbox/watches             {caller, collection, for, late_by}: what is held back; all, without late_by
//   POST   /sandbox/access              a Denial; DELETE: none any more
//   POST   /sandbox/api                 {down_for}, {compact}, {expire_watches}, {bookmark_interval}, {step_clock},
//                                       {restore_etcd} or {serve: {group, resource, served, version}}
//   GET    /sandbox/timeline            everything that happened, in order
//   GET    /sandbox/guests              by VM: frozen intervals and their sums
//   GET    /sandbox/cuts                all cuts
//   GET    /sandbox/consistency?ns=&backup=&disks=
//   GET    /sandbox/calls               API calls by caller and verb; DELETE: from zero
class SandboxControl {
 public:
  explicit SandboxControl(Cluster& cluster);

  Reply handle(const HttpRequest& request);

 private:
  using Action = std::function<Json(const HttpRequest& request, const Json& body)>;
  using GuestAction = std::function<void(const std::string& ns, const std::string& name, const Json& body)>;

  void add_guest_actions();
  void add_cluster_actions();
  void add_questions();
  void change_api(const Json& body);
  Json on_guest(const std::vector<std::string>& path, const Json& body);

  Cluster& cluster_;
  std::map<std::string, Action> actions_;  // "POST faults"
  std::map<std::string, GuestAction> guest_actions_;
  std::map<std::string, int> pids_;  // of callers to be killed; guarded by the cluster's lock
};

}  // namespace cluster
