#include "cli/check/check_harvester.h"

#include <algorithm>

#include "base/time.h"
#include "cli/shared/spoilers.h"
#include "freeze/policy.h"

namespace snapfreeze::cli {
namespace {

using Level = Finding::Level;

constexpr char kAbout[] = "Harvester";
constexpr std::size_t kMostNamed = 10;

// The newest backup of each VM, which shows what Harvester's UI and schedules send now.
std::vector<const kube::BackupView*> newest_of_each_vm(const std::vector<kube::BackupView>& backups) {
  std::map<std::string, const kube::BackupView*> newest;
  for (const kube::BackupView& backup : backups) {
    const kube::BackupView*& known = newest[backup.metadata.namespace_ + "/" + backup.source_name];
    if (known == nullptr || backup.metadata.creation_timestamp > known->metadata.creation_timestamp) known = &backup;
  }
  std::vector<const kube::BackupView*> all;
  all.reserve(newest.size());
  for (const auto& [vm, backup] : newest) all.push_back(backup);
  return all;
}

std::string vms_of(const std::vector<const kube::BackupView*>& backups) {
  std::string names;
  for (std::size_t i = 0; i < backups.size() && i < kMostNamed; ++i) {
    names += (i == 0 ? "" : ", ") + backups[i]->metadata.namespace_ + "/" + backups[i]->source_name;
  }
  if (backups.size() > kMostNamed) names += " and " + std::to_string(backups.size() - kMostNamed) + " more";
  return names;
}

void check_deadlines(const std::vector<kube::BackupView>& backups, std::vector<Finding>& findings) {
  const freeze::Policy policy;
  std::vector<const kube::BackupView*> endless;
  std::vector<const kube::BackupView*> brief;
  for (const kube::BackupView* const backup : newest_of_each_vm(backups)) {
    const auto& deadline = backup->fs_freeze_deadline;
    if (deadline && deadline->count() == 0) endless.push_back(backup);
    if (deadline && deadline->count() > 0 && *deadline < policy.default_timer) brief.push_back(backup);
  }
  if (!endless.empty()) {
    findings.push_back({Level::kWarning, kAbout,
                        "backups of " + vms_of(endless) +
                            " ask for a freeze without end (fsFreezeDeadline 0, \"Infinite\"): when no session of "
                            "snapfreeze takes over, only the sweeper's rescue thaws the guest",
                        "set a deadline of up to " + std::to_string(policy.max_timer.count()) +
                            "s: the guest thaws at the last cut anyway"});
  }
  if (brief.empty()) return;
  const auto shortest = std::min_element(brief.begin(), brief.end(), [](const auto* a, const auto* b) {
    return *a->fs_freeze_deadline < *b->fs_freeze_deadline;
  });
  const auto deadline = *(*shortest)->fs_freeze_deadline;
  const auto timer = freeze::freeze_timer(policy, deadline, false);
  findings.push_back({Level::kWarning, kAbout,
                      "backups of " + vms_of(brief) + " ask for a freeze of " + format_duration(deadline) +
                          ", so their disks must be cut within " + std::to_string(timer.count()) + "s",
                      "if the storage is slower, raise fsFreezeDeadline, or leave it out for up to " +
                          std::to_string(policy.default_timer.count()) +
                          "s: the guest thaws at the last cut anyway. Never set it to 0"});
}

bool is_tried_again(const kube::BackupView& backup, const std::set<std::string>& snapshots) {
  return !backup.error.empty() && freezes_again(backup, [&](const std::string& name) {
    return snapshots.contains(backup.metadata.namespace_ + "/" + name);
  });
}

void check_errors(const CheckFacts& facts, std::vector<Finding>& findings) {
  if (!facts.snapshots) {
    findings.push_back(
        {Level::kUnknown, kAbout, "whether failed backups will be retried: " + facts.snapshots.error().message});
    return;
  }
  std::size_t failed = 0;
  for (const kube::BackupView& backup : *facts.backups) {
    if (!is_tried_again(backup, *facts.snapshots) || ++failed > kMostNamed) continue;
    const std::string name = backup.metadata.namespace_ + "/" + backup.metadata.name;
    const std::string when = backup.error_time ? " at " + format_time(*backup.error_time) : "";
    std::string says = "backup ";
    says.append(name)
        .append(" failed")
        .append(when)
        .append(" (")
        .append(backup.error)
        .append(") and will be retried: ");
    says.append("it freezes ").append(backup.source_name).append(" each time, and other backups of it may then be ");
    says.append("crash: other-backup");
    findings.push_back({Level::kWarning, kAbout, std::move(says), "fix the cause, or delete that backup"});
  }
  if (failed > kMostNamed) {
    findings.push_back(
        {Level::kWarning, kAbout, std::to_string(failed - kMostNamed) + " more backups failed and will be retried"});
  }
}

}  // namespace

void check_harvester(const CheckFacts& facts, std::vector<Finding>& findings) {
  if (facts.harvester_version) {
    findings.push_back({Level::kGood, kAbout, (*facts.harvester_version)["value"].string()});
  } else if (facts.harvester_version.error().code == Code::kNotFound) {
    findings.push_back({Level::kGood, kAbout, "is not installed: guests are frozen for labelled snapshots only"});
  } else {
    findings.push_back({Level::kUnknown, kAbout, "version not known: " + facts.harvester_version.error().message});
  }
  if (!facts.backups) {
    findings.push_back({Level::kUnknown, kAbout, "its backups are not known: " + facts.backups.error().message});
    return;
  }
  check_deadlines(*facts.backups, findings);
  check_errors(facts, findings);
}

}  // namespace snapfreeze::cli
