#include "cli/explain/explain_reads.h"

#include <algorithm>
#include <set>

#include "base/time.h"
#include "cli/shared/labelled.h"
#include "cli/shared/lists.h"
#include "cli/shared/spoilers_reads.h"
#include "freeze/names.h"
#include "freeze/session_store.h"
#include "kube/paths.h"
#include "kube/rest.h"

namespace snapfreeze::cli {
namespace {

// More disks than a VM can have; Harvester's list is not ours to trust.
constexpr std::size_t kMostDisks = 1000;

DiskFacts disk_of(const std::string& name, const Result<Json>& object) {
  DiskFacts disk{name, std::nullopt, std::nullopt, std::nullopt};
  if (!object) return disk;
  disk.view = kube::SnapshotView::from(*object);
  const auto time = parse_time((*object)["status"]["creationTime"].string());
  if (time) disk.captured_by_snapshot = *time;
  return disk;
}

Result<void> read_disks(kube::KubeApi& api, ExplainFacts& facts) {
  std::vector<kube::Request> requests;
  std::vector<std::string>& names = facts.backup->snapshot_names;
  if (names.size() > kMostDisks) {
    facts.unseen.push_back("all but the first " + std::to_string(kMostDisks) + " of " + std::to_string(names.size()) +
                           " snapshots");
    names.resize(kMostDisks);
  }
  requests.reserve(names.size());
  for (const std::string& name : names) {
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

// The newest of the backups that have that label.
void take_newest(std::vector<DiskFacts> disks, ExplainFacts& facts) {
  std::vector<const kube::Metadata*> snapshots;
  snapshots.reserve(disks.size());
  for (const DiskFacts& disk : disks) snapshots.push_back(&disk.view->metadata);
  const auto backups = backups_of_label(snapshots);
  facts.earlier_backups = backups.size() - 1;
  for (const std::size_t index : backups.back()) facts.disks.push_back(std::move(disks[index]));
}

Result<void> read_labelled(kube::KubeApi& api, ExplainFacts& facts) {
  const std::string selector = std::string(freeze::kBackupLabel) + "=" + facts.name;
  const auto project = [](const Json& item) {
    return std::optional<DiskFacts>(disk_of(item["metadata"]["name"].string(), item));
  };
  auto list = list_some<DiskFacts>(api, kube::kVolumeSnapshots, facts.namespace_, project, selector);
  if (!list) return list.error();
  if (!list->empty()) {
    take_newest(std::move(*list), facts);
    return {};
  }
  return Error{Code::kNotFound,
               "there is no backup " + facts.namespace_ + "/" + facts.name + ", and no snapshot with that label", 404};
}

void read_storage(kube::KubeApi& api, ExplainFacts& facts) {
  std::vector<std::string> uids;
  for (const DiskFacts& disk : facts.disks) {
    if (disk.view) uids.push_back(disk.view->metadata.uid);
  }
  const auto captures = read_captures(api, uids, facts.unseen);
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
  if (!session) {
    facts.unseen.push_back("whether the guest is still frozen: cannot get its Lease: " + session.error().message);
    return;
  }
  if (!*session) return;
  const bool ours = std::any_of(facts.disks.begin(), facts.disks.end(), [&](const DiskFacts& disk) {
    return disk.view && disk.view->metadata.label(freeze::kEpochLabel) == (*session)->uid;
  });
  if (ours && (*session)->phase != freeze::Phase::kResting) facts.session = std::move(*session);
}

// Only snapfreeze's own Events; others do not matter here.
void read_events(kube::KubeApi& api, ExplainFacts& facts) {
  std::set<std::string> names;
  if (facts.backup) names.insert(facts.name);
  for (const DiskFacts& disk : facts.disks) {
    if (!facts.backup) names.insert(disk.snapshot);
  }
  const auto project = [&](const Json& event) -> std::optional<EventFacts> {
    const bool by_us = event["reportingComponent"].string().starts_with("snapfreeze.harvesterhci.io/");
    if (!by_us || !names.contains(event["involvedObject"]["name"].string())) return std::nullopt;
    const auto time = parse_time(event["eventTime"].string());
    return EventFacts{time ? std::optional<Wall>(*time) : std::nullopt, event["reason"].string(),
                      event["message"].string()};
  };
  auto list = list_some<EventFacts>(api, kube::kEvents, facts.namespace_, project);
  if (!list) return facts.unseen.push_back(list.error().message);
  facts.events = std::move(*list);
}

void read_spoilers(kube::KubeApi& api, ExplainFacts& facts) {
  Wanted wanted;
  for (const freeze::Reason reason : reasons_of(facts)) wanted.add(reason);
  if (wanted.any()) facts.others = read_others(api, facts.namespace_, wanted);
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
  const bool forbidden = !backup && may_not(backup.error());
  if (!backup && !forbidden && backup.error().code != Code::kNotFound) return backup.error();
  if (backup) facts.backup = kube::BackupView::from(*backup);
  const auto disks = facts.backup ? read_disks(api, facts) : read_labelled(api, facts);
  // It may be a backup that we may not see.
  if (!disks && forbidden && disks.error().code == Code::kNotFound) return backup.error();
  if (!disks) return disks.error();
  if (forbidden) facts.unseen.push_back("whether Harvester has a backup of that name: " + backup.error().message);
  read_storage(api, facts);
  read_session(api, system_namespace, facts);
  read_events(api, facts);
  read_spoilers(api, facts);
  return facts;
}

}  // namespace snapfreeze::cli
