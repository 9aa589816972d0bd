#include "cli/explain_reads.h"

#include <algorithm>

#include "freeze/names.h"
#include "freeze/session_store.h"
#include "kube/paths.h"
#include "kube/rest.h"
#include "kube/time.h"

namespace snapfreeze::cli {
namespace {

constexpr Millis kExplainTimeout{10000};

DiskFacts disk_of(const std::string& name, const Result<Json>& object) {
  DiskFacts disk{name, std::nullopt, std::nullopt, std::nullopt};
  if (!object) return disk;
  disk.view = kube::SnapshotView::from(*object);
  const auto time = kube::parse_time((*object)["status"]["creationTime"].string());
  if (time) disk.captured_by_snapshot = *time;
  return disk;
}

Result<void> read_disks(kube::KubeApi& api, ExplainFacts& facts) {
  std::vector<kube::Request> requests;
  for (const std::string& name : facts.backup->snapshot_names) {
    requests.push_back(kube::get_request(kube::object_path(kube::kVolumeSnapshots, facts.namespace_, name)));
  }
  const auto replies = api.call_all(requests);
  for (std::size_t i = 0; i < replies.size(); ++i) {
    const auto object = kube::object_of(replies[i]);
    if (!object && object.error().code != Code::kNotFound) return object.error();
    facts.disks.push_back(disk_of(facts.backup->snapshot_names[i], object));
  }
  return {};
}

Result<void> read_labelled(kube::KubeApi& api, ExplainFacts& facts) {
  const std::string selector = std::string(freeze::kBackupLabel) + "=" + facts.name;
  const auto list =
      kube::get(api, kube::labelled_path(kube::kVolumeSnapshots, facts.namespace_, selector), kExplainTimeout);
  if (!list) return list.error();
  for (const Json& item : (*list)["items"].items()) {
    facts.disks.push_back(disk_of(item["metadata"]["name"].string(), item));
  }
  if (!facts.disks.empty()) return {};
  return Error{Code::kNotFound,
               "there is no backup " + facts.namespace_ + "/" + facts.name + ", and no snapshot with that label", 404};
}

void read_storage(kube::KubeApi& api, ExplainFacts& facts) {
  std::vector<std::string> uids;
  for (const DiskFacts& disk : facts.disks) {
    if (disk.view) uids.push_back(disk.view->metadata.uid);
  }
  const auto captures = read_captures(api, uids);
  for (DiskFacts& disk : facts.disks) {
    const auto found = disk.view ? captures.find(disk.view->metadata.uid) : captures.end();
    if (found != captures.end()) disk.captured_by_storage = found->second;
  }
}

void read_session(kube::KubeApi& api, const std::string& system_namespace, ExplainFacts& facts) {
  std::string vm = facts.backup ? facts.backup->source_name : "";
  for (const DiskFacts& disk : facts.disks) {
    if (vm.empty() && disk.view) vm = disk.view->metadata.annotation(freeze::kVmAnnotation);
  }
  if (vm.empty()) return;
  freeze::SessionStore sessions(api, system_namespace);
  auto session = sessions.read(facts.namespace_, vm);
  if (!session || !*session) return;
  const bool ours = std::any_of(facts.disks.begin(), facts.disks.end(), [&](const DiskFacts& disk) {
    return disk.view && disk.view->metadata.label(freeze::kEpochLabel) == (*session)->uid;
  });
  if (ours && (*session)->phase != freeze::Phase::kResting) facts.session = std::move(*session);
}

// Only those of snapfreeze's; others' are of no matter here.
void read_events(kube::KubeApi& api, ExplainFacts& facts) {
  std::vector<std::string> names{facts.name};
  if (!facts.backup) names.clear();
  for (const DiskFacts& disk : facts.disks) {
    if (!facts.backup) names.push_back(disk.snapshot);
  }
  const auto list = kube::get(api, kube::collection_path(kube::kEvents, facts.namespace_), kExplainTimeout);
  if (!list) return;
  for (const Json& event : (*list)["items"].items()) {
    const bool by_us = event["reportingController"].string().starts_with("snapfreeze.harvesterhci.io/");
    const std::string& about = event["regarding"]["name"].string();
    if (!by_us || std::find(names.begin(), names.end(), about) == names.end()) continue;
    const auto time = kube::parse_time(event["eventTime"].string());
    facts.events.push_back(
        {time ? std::optional<Wall>(*time) : std::nullopt, event["reason"].string(), event["note"].string()});
  }
}

}  // namespace

Result<ExplainFacts> read_explain(kube::KubeApi& api, const std::string& ns, const std::string& name,
                                  const std::string& system_namespace) {
  ExplainFacts facts;
  facts.namespace_ = ns;
  facts.name = name;
  const auto reply = api.call(kube::get_request(kube::object_path(kube::kHarvesterBackups, ns, name)));
  facts.now = reply && reply->date ? *reply->date : std::chrono::system_clock::now();
  const auto backup = kube::object_of(reply);
  if (!backup && backup.error().code != Code::kNotFound) return backup.error();
  if (backup) facts.backup = kube::BackupView::from(*backup);
  const auto disks = facts.backup ? read_disks(api, facts) : read_labelled(api, facts);
  if (!disks) return disks.error();
  read_storage(api, facts);
  read_session(api, system_namespace, facts);
  read_events(api, facts);
  return facts;
}

}  // namespace snapfreeze::cli
