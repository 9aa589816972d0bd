#include "cli/status/status.h"

#include <algorithm>
#include <map>

#include "base/time.h"
#include "cli/shared/labelled.h"
#include "cli/shared/spoilers.h"
#include "freeze/names.h"
#include "freeze/verdict.h"

namespace snapfreeze::cli {
namespace {

using freeze::Hold;
using freeze::Phase;
using freeze::Session;
using freeze::Verdict;

// A label is not an object, so its name must not look like one.
constexpr char kLabelPrefix[] = "label/";
constexpr char kKubeVirtPrefix[] = "kubevirt/";
constexpr char kLabelKind[] = "label";

std::string name_of(const Hold& hold) {
  return (hold.kind == Hold::Kind::kLabel ? kLabelPrefix : "") + hold.name;
}

const kube::BackupView* find_backup(const StatusFacts& facts, const std::string& uid) {
  const auto found = std::find_if(facts.backups.begin(), facts.backups.end(),
                                  [&](const kube::BackupView& backup) { return backup.metadata.uid == uid; });
  return found == facts.backups.end() ? nullptr : &*found;
}

// How many disks the session waits for.
int disks_of(const StatusFacts& facts, const Session& session, int admitted) {
  int disks = 0;
  for (const Hold& hold : session.holds) {
    const kube::BackupView* const backup = find_backup(facts, hold.uid);
    if (backup != nullptr) disks += static_cast<int>(backup->snapshot_names.size());
    if (hold.kind == Hold::Kind::kLabel) disks += hold.members;
  }
  return std::max(disks, admitted);
}

FrozenGuest describe(const StatusFacts& facts, const Session& session) {
  FrozenGuest guest;
  guest.namespace_ = session.namespace_;
  guest.vm = session.vm;
  guest.phase = session.phase;
  guest.since = session.created;
  for (const Hold& hold : session.holds) guest.backups.push_back(name_of(hold));
  int admitted = 0;
  int captured = 0;
  for (const kube::SnapshotView& snapshot : facts.snapshots) {
    if (snapshot.metadata.label(freeze::kEpochLabel) != session.uid) continue;
    ++admitted;
    if (snapshot.captured || facts.captured.contains(snapshot.metadata.uid)) ++captured;
  }
  guest.captured = std::max(captured, static_cast<int>(session.captured.size()));
  guest.disks = disks_of(facts, session, admitted);
  if (!session.created) return guest;
  guest.until = *session.created + session.timer;
  // A resting guest is thawed, and its session only waits for late calls.
  const bool held = session.phase != Phase::kResting;
  guest.overdue = held && facts.now > *guest.until + freeze::kLateCalls;
  return guest;
}

bool has_session(const StatusFacts& facts, const kube::Metadata& guest) {
  return std::any_of(facts.sessions.begin(), facts.sessions.end(), [&](const Session& session) {
    return session.namespace_ == guest.namespace_ && session.vm == guest.name;
  });
}

// Who may have frozen it: KubeVirt's snapshot, or a backup of Harvester's, for which Harvester calls freeze itself. Its
// annotation says that only of the last disk.
FrozenGuest describe(const StatusFacts& facts, const UnheldGuest& unheld) {
  FrozenGuest guest;
  guest.namespace_ = unheld.vmi.metadata.namespace_;
  guest.vm = unheld.vmi.metadata.name;
  guest.held = false;
  guest.expected = !unheld.kubevirt_snapshot.empty();
  if (guest.expected) guest.backups.push_back(kKubeVirtPrefix + unheld.kubevirt_snapshot);
  for (const kube::BackupView& backup : facts.backups) {
    const bool of_it = backup.metadata.namespace_ == guest.namespace_ && backup.source_name == guest.vm;
    if (of_it && !never_froze(backup) && !backup.complete()) guest.backups.push_back(backup.metadata.name);
  }
  return guest;
}

BackupLine describe(const kube::BackupView& backup) {
  const kube::Metadata& meta = backup.metadata;
  BackupLine line{meta.namespace_,
                  meta.name,
                  backup.type.empty() ? "backup" : backup.type,
                  backup.source_name,
                  meta.creation_timestamp,
                  backup.complete(),
                  static_cast<int>(backup.snapshot_names.size()),
                  freeze::read_verdict(meta),
                  meta.annotation(freeze::kReason),
                  meta.annotation(freeze::kFrozenFor),
                  "",
                  {},
                  meta.uid,
                  {},
                  {}};
  // A finished backup got over its error.
  if (!backup.complete()) line.error = backup.error;
  if (!line.error.empty()) line.error_time = backup.error_time;
  return line;
}

using Group = std::vector<const kube::SnapshotView*>;

// Snapshots with one label are one backup. Its verdict is the best that holds for all of them.
BackupLine describe(const std::string& label, const Group& group) {
  const kube::Metadata& first = group.front()->metadata;
  BackupLine line;
  line.namespace_ = first.namespace_;
  line.name = label;
  line.kind = kLabelKind;
  line.ready = true;
  std::vector<std::string> names;
  std::map<std::string, Verdict> verdicts;
  for (const kube::SnapshotView* const snapshot : group) {
    const kube::Metadata& meta = snapshot->metadata;
    const auto& created = meta.creation_timestamp;
    if (line.vm.empty()) line.vm = meta.annotation(freeze::kVmAnnotation);
    if (created && (!line.created || *created < *line.created)) line.created = created;
    line.ready = line.ready && snapshot->ready;
    names.push_back(meta.name);
    line.snapshots.push_back(MadeSnapshot::from(*snapshot));
    const auto verdict = freeze::read_verdict(meta);
    if (!verdict) continue;
    line.frozen_for = meta.annotation(freeze::kFrozenFor);
    verdicts[meta.name] = *verdict;
  }
  line.disks = static_cast<int>(group.size());
  if (verdicts.size() < group.size()) return line;
  line.verdict = freeze::judge_backup(names, verdicts);
  line.reason = line.verdict->reason.name();
  const auto of_one = std::find_if(group.begin(), group.end(), [&](const kube::SnapshotView* snapshot) {
    return freeze::read_verdict(snapshot->metadata) == line.verdict;
  });
  if (of_one != group.end()) line.reason = (*of_one)->metadata.annotation(freeze::kReason);
  return line;
}

std::vector<BackupLine> backups_of(const StatusFacts& facts) {
  std::vector<BackupLine> lines;
  for (const kube::BackupView& backup : facts.backups) lines.push_back(describe(backup));
  std::map<std::pair<std::string, std::string>, Group> labelled;
  for (const kube::SnapshotView& snapshot : facts.snapshots) {
    const std::string& label = snapshot.metadata.label(freeze::kBackupLabel);
    const bool marked = !snapshot.metadata.label(freeze::kEpochLabel).empty();
    if (!label.empty() && marked) labelled[{snapshot.metadata.namespace_, label}].push_back(&snapshot);
  }
  for (const auto& [key, group] : labelled) {
    std::vector<const kube::Metadata*> snapshots;
    snapshots.reserve(group.size());
    for (const kube::SnapshotView* const snapshot : group) snapshots.push_back(&snapshot->metadata);
    for (const std::vector<std::size_t>& one : backups_of_label(snapshots)) {
      Group of_one;
      for (const std::size_t index : one) of_one.push_back(group[index]);
      lines.push_back(describe(key.second, of_one));
    }
  }
  return lines;
}

}  // namespace

std::string key_of(const BackupLine& backup) {
  if (backup.kind != kLabelKind) return backup.namespace_ + "/" + backup.name;
  return backup.namespace_ + "/" + kLabelPrefix + backup.name + "/" +
         (backup.created ? format_time(*backup.created) : "");
}

bool Status::good() const {
  return trouble.empty() && installed && std::none_of(frozen.begin(), frozen.end(), [](const FrozenGuest& guest) {
           return guest.overdue || !guest.expected;
         });
}

bool Status::complete() const {
  return trouble.empty() && guests_seen && backups_seen;
}

std::vector<BackupLine> newest_backups(const StatusFacts& facts, std::size_t most_backups) {
  std::vector<BackupLine> backups = backups_of(facts);
  std::stable_sort(backups.begin(), backups.end(),
                   [](const BackupLine& a, const BackupLine& b) { return a.created > b.created; });
  if (backups.size() > most_backups) backups.resize(most_backups);
  return backups;
}

Status status_of(const StatusFacts& facts, std::size_t most_backups) {
  Status status;
  status.now = facts.now;
  status.system_namespace = facts.system_namespace;
  status.trouble = facts.trouble;
  status.installed = facts.installed || !facts.sessions.empty();
  status.guests_seen = facts.guests_seen;
  status.backups_seen = facts.backups_seen;
  status.unseen = facts.unseen;
  for (const UnheldGuest& unheld : facts.unheld) {
    if (!has_session(facts, unheld.vmi.metadata)) status.frozen.push_back(describe(facts, unheld));
  }
  for (const Session& session : facts.sessions) status.frozen.push_back(describe(facts, session));
  // Guests that are frozen since an unknown time come first.
  std::stable_sort(status.frozen.begin(), status.frozen.end(),
                   [](const FrozenGuest& a, const FrozenGuest& b) { return a.since < b.since; });
  status.backups = newest_backups(facts, most_backups);
  for (BackupLine& backup : status.backups) {
    const auto found = facts.spoilers.find(key_of(backup));
    if (found != facts.spoilers.end()) backup.spoilers = found->second;
  }
  return status;
}

}  // namespace snapfreeze::cli
