// The sandbox's own endpoints under /sandbox/, for the admin: what a test or the demo does to the cluster, and the
// truth.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "test/cluster/cluster.h"

namespace cluster {

// All bodies are JSON objects; an unknown or wrong field is a 400 that names it, what does not exist a 404. Durations
// are in milliseconds.
//
//   POST   /sandbox/namespaces          {name, labels}
//   POST   /sandbox/vms                 {ns, name, disks, running, agent, windows, freeze_latency, thaw_latency,
//   annotations} POST   /sandbox/vms/{ns}/{name}/stop | start | restart | pause | resume POST
//   /sandbox/vms/{ns}/{name}/migrate   {duration} POST   /sandbox/vms/{ns}/{name}/agent     {connected} POST
//   /sandbox/vms/{ns}/{name}/latency   {freeze, thaw} POST   /sandbox/vms/{ns}/{name}/fault     {operation, kind:
//   fail|halfway|late, nth, count, delay, caller} POST   /sandbox/vms/{ns}/{name}/snapshot  {name, duration} KubeVirt's
//   own POST   /sandbox/storage             DiskOptions, and {ns, pvc} for one disk only POST   /sandbox/harvester
//   HarvesterOptions POST   /sandbox/harvester/reconcile {ns, name} POST   /sandbox/webhook             WebhookOptions,
//   and {replicas: [{host, port}]} POST   /sandbox/admission           {reject: {ns, name}} or {rounds} POST
//   /sandbox/faults              a Fault;  DELETE: none any more POST   /sandbox/killers             {caller, pid}:
//   whom the faults kill-before and kill-after kill POST   /sandbox/access              a Denial; DELETE: none any more
//   POST   /sandbox/api                 {down_for}, {compact}, {expire_watches}, {bookmark_interval} or
//                                       {serve: {group, resource, served}}
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
  Json on_guest(const std::vector<std::string>& path, const Json& body);

  Cluster& cluster_;
  std::map<std::string, Action> actions_;  // "POST faults"
  std::map<std::string, GuestAction> guest_actions_;
  std::map<std::string, int> pids_;  // of callers to be killed; guarded by the cluster's lock
};

}  // namespace cluster
