#include "webhook/recent_backups.h"

#include <algorithm>

#include "kube/paths.h"

namespace snapfreeze::webhook {

void RecentBackups::note(std::string_view ns, const kube::BackupView& backup, Mono asked) {
  const auto& names = backup.snapshot_names;
  if (names.size() > kMostDisks || !std::ranges::all_of(names, kube::is_object_name)) return;
  if (!kube::is_object_name(backup.source_name)) return;
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [&](const Entry& entry) { return entry.ns == ns && entry.uid == backup.metadata.uid; });
  if (entries_.size() == kMostBackups) entries_.pop_front();
  entries_.push_back({asked, std::string(ns), backup.metadata.uid, backup.source_name, names});
}

std::optional<std::string> RecentBackups::vm_of(std::string_view ns, std::string_view uid, std::string_view snapshot,
                                                Mono now) {
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [&](const Entry& entry) { return now - entry.asked > kAge; });
  const auto found = std::ranges::find_if(entries_, [&](const Entry& e) { return e.ns == ns && e.uid == uid; });
  if (found == entries_.end() || std::ranges::find(found->snapshots, snapshot) == found->snapshots.end()) {
    return std::nullopt;
  }
  return found->vm;
}

}  // namespace snapfreeze::webhook
