#include "cli/shared/labelled.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <optional>
#include <string>

#include "freeze/names.h"

namespace snapfreeze::cli {
namespace {

constexpr std::chrono::minutes kLongestPause{10};

// "" for a snapshot without a session.
std::string session_of(const kube::Metadata& snapshot) {
  const std::string& epoch = snapshot.label(freeze::kEpochLabel);
  return epoch == freeze::kEpochNone || epoch == freeze::kEpochOffline ? "" : epoch;
}

// A backup, with the snapshots that were found so far.
struct Open {
  std::string vm;       // "": no snapshot of it has named one
  std::string session;  // likewise
  std::optional<Wall> at;
  std::vector<std::size_t> snapshots;
};

bool belongs(const kube::Metadata& snapshot, const Open& backup) {
  const std::string& vm = snapshot.annotation(freeze::kVmAnnotation);
  if (!vm.empty() && !backup.vm.empty() && vm != backup.vm) return false;
  const std::string session = session_of(snapshot);
  if (!session.empty() && !backup.session.empty()) return session == backup.session;
  const auto& at = snapshot.creation_timestamp;
  return !at || !backup.at || *at - *backup.at <= kLongestPause;
}

void add(const kube::Metadata& snapshot, std::size_t index, Open& backup) {
  backup.snapshots.push_back(index);
  if (snapshot.creation_timestamp) backup.at = snapshot.creation_timestamp;
  if (const std::string& vm = snapshot.annotation(freeze::kVmAnnotation); !vm.empty()) backup.vm = vm;
  if (const std::string session = session_of(snapshot); !session.empty()) backup.session = session;
}

}  // namespace

std::vector<std::vector<std::size_t>> backups_of_label(std::span<const kube::Metadata* const> snapshots) {
  std::vector<std::size_t> order(snapshots.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return snapshots[a]->creation_timestamp < snapshots[b]->creation_timestamp;
  });
  std::vector<Open> backups;
  for (const std::size_t index : order) {
    const kube::Metadata& snapshot = *snapshots[index];
    // The newest of the backups that it may belong to.
    const auto found =
        std::find_if(backups.rbegin(), backups.rend(), [&](const Open& one) { return belongs(snapshot, one); });
    Open& backup = found == backups.rend() ? backups.emplace_back() : *found;
    add(snapshot, index, backup);
  }
  std::vector<std::vector<std::size_t>> groups;
  groups.reserve(backups.size());
  for (Open& backup : backups) groups.push_back(std::move(backup.snapshots));
  return groups;
}

}  // namespace snapfreeze::cli
