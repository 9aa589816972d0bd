#include "cli/status_reads.h"

#include <algorithm>
#include <array>

#include "cli/capture_reads.h"
#include "freeze/names.h"
#include "kube/paths.h"
#include "kube/rest.h"

namespace snapfreeze::cli {
namespace {

constexpr Millis kListTimeout{10000};

void take_sessions(const std::vector<Json>& leases, const std::string& ns, StatusFacts& facts) {
  for (const Json& lease : leases) {
    auto session = freeze::from_lease(lease);
    if (session && (ns.empty() || session->namespace_ == ns)) facts.sessions.push_back(std::move(*session));
  }
}

std::string epochs_selector(const std::vector<freeze::Session>& sessions) {
  std::string uids;
  for (const freeze::Session& session : sessions) uids += (uids.empty() ? "" : ",") + session.uid;
  return std::string(freeze::kEpochLabel) + " in (" + uids + ")";
}

Result<void> read_members(kube::KubeApi& api, const std::string& ns, StatusFacts& facts) {
  if (facts.sessions.empty()) return {};
  const auto list = kube::items_of(api.call(kube::get_request(
      kube::labelled_path(kube::kVolumeSnapshots, ns, epochs_selector(facts.sessions)), kListTimeout)));
  if (!list) return list.error();
  for (const Json& item : *list) {
    auto snapshot = kube::SnapshotView::from(item);
    const auto same = [&](const kube::SnapshotView& known) { return known.metadata.uid == snapshot.metadata.uid; };
    if (std::none_of(facts.snapshots.begin(), facts.snapshots.end(), same)) {
      facts.snapshots.push_back(std::move(snapshot));
    }
  }
  std::vector<std::string> open;
  for (const kube::SnapshotView& snapshot : facts.snapshots) {
    const std::string& epoch = snapshot.metadata.label(freeze::kEpochLabel);
    const bool of_a_session =
        std::any_of(facts.sessions.begin(), facts.sessions.end(), [&](const auto& one) { return one.uid == epoch; });
    if (of_a_session && !snapshot.captured) open.push_back(snapshot.metadata.uid);
  }
  for (const auto& [uid, capture] : read_captures(api, open)) facts.captured.insert(uid);
  return {};
}

}  // namespace

Result<StatusFacts> read_status(kube::KubeApi& api, const std::string& ns, const std::string& system_namespace) {
  const std::array<kube::Request, 4> requests{
      kube::get_request(kube::labelled_path(kube::kLeases, system_namespace, freeze::kSessionLabel), kListTimeout),
      kube::get_request(kube::object_path(kube::kLeases, system_namespace, freeze::kLeaderLease), kListTimeout),
      kube::get_request(kube::collection_path(kube::kHarvesterBackups, ns), kListTimeout),
      kube::get_request(kube::labelled_path(kube::kVolumeSnapshots, ns, freeze::kBackupLabel), kListTimeout),
  };
  const auto replies = api.call_all(requests);
  StatusFacts facts;
  facts.system_namespace = system_namespace;
  facts.now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  for (const auto& reply : replies) {
    if (reply && reply->date) facts.now = *reply->date;
  }
  const auto leases = kube::items_of(replies[0]);
  if (leases) take_sessions(*leases, ns, facts);
  if (!leases) facts.trouble = leases.error().message;
  facts.installed = kube::object_of(replies[1]).ok();
  const auto backups = kube::items_of(replies[2]);
  if (!backups) return backups.error();
  for (const Json& item : *backups) facts.backups.push_back(kube::BackupView::from(item));
  const auto snapshots = kube::items_of(replies[3]);
  if (!snapshots) return snapshots.error();
  for (const Json& item : *snapshots) facts.snapshots.push_back(kube::SnapshotView::from(item));
  const auto members = read_members(api, ns, facts);
  if (!members) return members.error();
  return facts;
}

}  // namespace snapfreeze::cli
