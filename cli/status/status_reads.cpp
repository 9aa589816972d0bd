#include "cli/status/status_reads.h"

#include <algorithm>

#include "cli/shared/capture_reads.h"
#include "cli/shared/lists.h"
#include "cli/shared/spoilers_reads.h"
#include "freeze/lease.h"
#include "freeze/names.h"
#include "kube/paths.h"
#include "kube/rest.h"

namespace snapfreeze::cli {
namespace {

// A selector has to fit into a URL.
constexpr std::size_t kSessionsAtOnce = 50;
// How many guests are checked for a snapshot that KubeVirt takes of them.
constexpr std::size_t kMostUnheld = 50;

void read_sessions(kube::KubeApi& api, const std::string& ns, StatusFacts& facts) {
  const auto project = [&](const Json& lease) -> std::optional<freeze::Session> {
    auto session = freeze::from_lease(lease);
    if (!session || (!ns.empty() && session->namespace_ != ns)) return std::nullopt;
    return std::move(*session);
  };
  auto sessions =
      list_some<freeze::Session>(api, kube::kLeases, facts.system_namespace, project, freeze::kSessionLabel);
  if (sessions) facts.sessions = std::move(*sessions);
  if (!sessions) facts.trouble = sessions.error().message;
  const auto reply =
      api.call(kube::get_request(kube::object_path(kube::kLeases, facts.system_namespace, freeze::kLeaderLease)));
  // The API server's clock has written all times that are shown.
  if (reply && reply->date) facts.now = *reply->date;
  const auto leader = kube::object_of(reply);
  facts.installed = leader.ok();
  const bool unknown = !leader && leader.error().code != Code::kNotFound;
  if (unknown && facts.trouble.empty()) facts.trouble = leader.error().message;
}

std::string epochs_selector(std::span<const freeze::Session> sessions) {
  std::string uids;
  for (const freeze::Session& session : sessions) uids += (uids.empty() ? "" : ",") + session.uid;
  return std::string(freeze::kEpochLabel) + " in (" + uids + ")";
}

Result<void> read_members(kube::KubeApi& api, const std::string& ns, StatusFacts& facts) {
  std::set<std::string> known;
  for (const kube::SnapshotView& snapshot : facts.snapshots) known.insert(snapshot.metadata.uid);
  std::set<std::string> epochs;
  for (std::size_t first = 0; first < facts.sessions.size(); first += kSessionsAtOnce) {
    const auto some = std::span<const freeze::Session>(facts.sessions)
                          .subspan(first, std::min(kSessionsAtOnce, facts.sessions.size() - first));
    for (const freeze::Session& session : some) epochs.insert(session.uid);
    auto members = list_views<kube::SnapshotView>(api, kube::kVolumeSnapshots, ns, epochs_selector(some));
    if (!members) return members.error();
    for (kube::SnapshotView& member : *members) {
      if (known.insert(member.metadata.uid).second) facts.snapshots.push_back(std::move(member));
    }
  }
  std::vector<std::string> open;
  for (const kube::SnapshotView& snapshot : facts.snapshots) {
    const bool of_a_session = epochs.contains(snapshot.metadata.label(freeze::kEpochLabel));
    if (of_a_session && !snapshot.captured) open.push_back(snapshot.metadata.uid);
  }
  for (const auto& [uid, capture] : read_captures(api, open, facts.unseen)) facts.captured.insert(uid);
  return {};
}

bool is_held(const StatusFacts& facts, const kube::Metadata& guest) {
  return std::any_of(facts.sessions.begin(), facts.sessions.end(), [&](const freeze::Session& session) {
    return session.namespace_ == guest.namespace_ && session.vm == guest.name;
  });
}

// KubeVirt freezes guests for its own snapshots, which is expected.
void read_kubevirt_snapshots(kube::KubeApi& api, StatusFacts& facts) {
  std::vector<kube::Request> requests;
  for (const UnheldGuest& guest : facts.unheld) {
    if (requests.size() == kMostUnheld) break;
    const kube::Metadata& meta = guest.vmi.metadata;
    requests.push_back(kube::get_request(kube::object_path(kube::kVirtualMachines, meta.namespace_, meta.name)));
  }
  const auto replies = api.call_all(requests);
  for (std::size_t i = 0; i < replies.size(); ++i) {
    const auto vm = kube::object_of(replies[i]);
    if (vm) facts.unheld[i].kubevirt_snapshot = kube::VmView::from(*vm).snapshot_in_progress;
    if (vm || vm.error().code == Code::kNotFound) continue;
    facts.unseen.push_back("whether KubeVirt takes snapshots of guests that are frozen: " + vm.error().message);
    return;
  }
}

void add_once(const std::vector<std::string>& more, std::vector<std::string>& all) {
  for (const std::string& one : more) {
    if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
  }
}

std::vector<std::string> spoilers_of(const BackupLine& backup, const Others& others) {
  std::vector<MadeSnapshot> snapshots = backup.snapshots;
  for (const MadeSnapshot& snapshot : others.snapshots) {
    if (!backup.uid.empty() && snapshot.backup_uid == backup.uid) snapshots.push_back(snapshot);
  }
  const Spoiled spoiled = spoiled_backup(backup.vm, backup.uid, snapshots, backup.frozen_for);
  return spoilers_of(backup.verdict ? backup.verdict->reason : freeze::Reason(), spoiled, others);
}

}  // namespace

void StatusReader::look_for_unheld(kube::KubeApi& api, Mono now, StatusFacts& facts) {
  doubtful_ = false;
  // Each of them may be held.
  if (!facts.trouble.empty()) return;
  const auto project = [&](const Json& object) -> std::optional<kube::VmiView> {
    auto vmi = kube::VmiView::from(object);
    if (!vmi.reported_frozen() || vmi.off() || is_held(facts, vmi.metadata)) return std::nullopt;
    return vmi;
  };
  auto frozen = list_some<kube::VmiView>(api, kube::kVirtualMachineInstances, namespace_, project);
  facts.guests_seen = frozen.ok();
  if (!frozen) {
    facts.unseen.push_back("guests that are frozen without a session: " + frozen.error().message);
    return;
  }
  std::map<std::string, Mono> since;
  for (kube::VmiView& vmi : *frozen) {
    const auto before = unheld_since_.find(vmi.metadata.uid);
    const Mono first = before == unheld_since_.end() ? now : before->second;
    since[vmi.metadata.uid] = first;
    if (now - first >= kFreezeStatusIsOld) {
      facts.unheld.push_back({std::move(vmi), ""});
    } else {
      doubtful_ = true;
    }
  }
  unheld_since_ = std::move(since);
  read_kubevirt_snapshots(api, facts);
}

void StatusReader::name_spoilers(kube::KubeApi& api, StatusFacts& facts) {
  std::map<std::string, std::vector<BackupLine>> open;
  std::map<std::string, Wanted> wanted;
  for (BackupLine& backup : newest_backups(facts, most_backups_)) {
    Wanted of_backup;
    if (backup.verdict) of_backup.add(backup.verdict->reason);
    if (!of_backup.any()) continue;
    const auto known = spoilers_.find(key_of(backup) + " " + backup.reason);
    if (known != spoilers_.end()) {
      facts.spoilers[key_of(backup)] = known->second;
      continue;
    }
    wanted[backup.namespace_].add(backup.verdict->reason);
    wanted[backup.namespace_].backups = true;  // whose snapshots say when the guest was frozen, and of which disks
    open[backup.namespace_].push_back(std::move(backup));
  }
  for (const auto& [ns, backups] : open) {
    const Others others = read_others(api, ns, wanted[ns]);
    add_once(others.unseen, facts.unseen);
    for (const BackupLine& backup : backups) {
      auto found = spoilers_of(backup, others);
      facts.spoilers[key_of(backup)] = found;
      if (others.unseen.empty()) spoilers_[key_of(backup) + " " + backup.reason] = std::move(found);
    }
  }
}

Result<StatusFacts> StatusReader::read(kube::KubeApi& api, Clock& clock) {
  StatusFacts facts;
  facts.system_namespace = system_namespace_;
  facts.now = std::chrono::floor<std::chrono::seconds>(clock.wall());
  read_sessions(api, namespace_, facts);
  auto backups = list_views<kube::BackupView>(api, kube::kHarvesterBackups, namespace_);
  if (!backups && !may_not(backups.error())) return backups.error();
  if (backups) facts.backups = std::move(*backups);
  facts.backups_seen = backups.ok();
  if (!backups) facts.unseen.push_back("Harvester's backups: " + backups.error().message);
  auto labelled = list_views<kube::SnapshotView>(api, kube::kVolumeSnapshots, namespace_, freeze::kBackupLabel);
  if (!labelled) return labelled.error();
  facts.snapshots = std::move(*labelled);
  const auto members = read_members(api, namespace_, facts);
  if (!members) return members.error();
  look_for_unheld(api, clock.monotonic(), facts);
  name_spoilers(api, facts);
  return facts;
}

}  // namespace snapfreeze::cli
