#include "test/unit/cli/scripted_cluster.h"

#include "test/unit/cli/texts.h"

namespace test {

using namespace snapfreeze;

namespace {

Json harvester_backup(const std::string& name, const std::string& reason, const std::string& more = "") {
  return parsed("{'metadata': {'name': '" + name + "', 'namespace': 'prod', 'uid': 'uid-" + name +
                "', 'creationTimestamp': '2026-11-24T02:00:00Z', 'annotations': "
                "{'snapfreeze.harvesterhci.io/consistency': 'crash', 'snapfreeze.harvesterhci.io/reason': '" +
                reason + "'}}, 'spec': {'source': {'name': 'db1'}}, 'status': {'volumeBackups': [{'name': '" + name +
                "-0'}]" + more + "}}");
}

Json snapshot_of(const std::string& backup, const std::string& claim) {
  return parsed("{'metadata': {'name': '" + backup + "-0', 'namespace': 'prod', 'uid': 'uid-of-" + backup +
                "-0', 'creationTimestamp': '2026-11-24T02:00:05Z', 'ownerReferences': [{'apiVersion': "
                "'harvesterhci.io/v1beta1', 'kind': 'VirtualMachineBackup', 'name': '" +
                backup + "', 'uid': 'uid-" + backup +
                "', 'controller': true}]}, 'spec': {'source': {'persistentVolumeClaimName': '" + claim + "'}}}");
}

}  // namespace

ScriptedCluster::ScriptedCluster() {
  api.put(kube::object_path(kube::kLeases, kHome, freeze::kLeaderLease), parsed("{'spec': {'holderIdentity': 's'}}"));
  api.add(kube::kLeases, kHome, {});
  api.add(kube::kHarvesterBackups, "prod", {});
  api.add(kube::kVolumeSnapshots, "prod", {});
  api.add(kube::kVirtualMachineInstances, "prod", {});
}

Result<cli::StatusFacts> ScriptedCluster::status(cli::StatusReader& reader) {
  cli::Look look(api, clock);
  return reader.read(look, clock);
}

Result<cli::StatusFacts> ScriptedCluster::status() {
  cli::StatusReader reader("prod", kHome, 10);
  return status(reader);
}

Result<cli::ExplainFacts> ScriptedCluster::explained(const std::string& name) {
  cli::Look look(api, clock);
  return cli::read_explain(look, "prod", name, kHome);
}

SpoiltCluster::SpoiltCluster() {
  const std::vector<Json> backups{
      harvester_backup("nightly", "other-backup"), harvester_backup("shared", "shared-disk"),
      harvester_backup("weekly", "", ", 'error': {'time': '2026-11-24T02:00:06Z', 'message': 'failed to freeze'}")};
  api.add(kube::kHarvesterBackups, "prod", backups);
  for (const Json& backup : backups) {
    api.put(kube::object_path(kube::kHarvesterBackups, "prod", backup["metadata"]["name"].string()), backup);
  }
  for (const char* backup : {"nightly", "shared"}) {
    api.put(kube::object_path(kube::kVolumeSnapshots, "prod", std::string(backup) + "-0"),
            snapshot_of(backup, "db1-data"));
    api.add(kube::kVolumeSnapshots, "prod", {snapshot_of(backup, "db1-data")});
  }
  api.add(kube::kPods, "prod",
          {parsed("{'metadata': {'name': 'copy'}, 'spec': {'volumes': [{'persistentVolumeClaim': "
                  "{'claimName': 'db1-data'}}]}, 'status': {'phase': 'Running'}}")});
  api.add(kube::kEvents, "prod", {});
}

std::string text_of(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return all;
}

}  // namespace test
