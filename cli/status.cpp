#include "cli/status.h"

#include <algorithm>
#include <map>

#include "freeze/names.h"
#include "freeze/verdict.h"

namespace snapfreeze::cli {
namespace {

using freeze::Hold;
using freeze::Phase;
using freeze::Session;
using freeze::Verdict;

// A label is no object, so its name must not be taken for one.
constexpr char kLabelPrefix[] = "label/";

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
  FrozenGuest guest{session.namespace_, session.vm, session.phase, session.created, std::nullopt, {}, 0, 0, false};
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
  // What rests was thawed, and only waits for what may come late.
  const bool held = session.phase != Phase::kResting;
  guest.overdue = held && facts.now > *guest.until + freeze::kLateCalls;
  return guest;
}

BackupLine describe(const kube::BackupView& backup) {
  const kube::Metadata& meta = backup.metadata;
  return {meta.namespace_,
          meta.name,
          backup.type.empty() ? "backup" : backup.type,
          backup.source_name,
          meta.creation_timestamp,
          backup.complete(),
          static_cast<int>(backup.snapshot_names.size()),
          meta.annotation(freeze::kConsistency),
          meta.annotation(freeze::kReason),
          meta.annotation(freeze::kFrozenFor)};
}

using Group = std::vector<const kube::SnapshotView*>;

// Snapshots with one label are one backup, which is worth what all of them are.
BackupLine describe(const std::string& label, const Group& group) {
  const kube::Metadata& first = group.front()->metadata;
  BackupLine line{first.namespace_, label, "label", first.annotation(freeze::kVmAnnotation), {}, true, 0, "", "", ""};
  std::vector<std::string> names;
  std::map<std::string, Verdict> verdicts;
  for (const kube::SnapshotView* const snapshot : group) {
    const kube::Metadata& meta = snapshot->metadata;
    const auto& created = meta.creation_timestamp;
    if (created && (!line.created || *created < *line.created)) line.created = created;
    line.ready = line.ready && snapshot->ready;
    names.push_back(meta.name);
    const std::string& said = meta.annotation(freeze::kConsistency);
    if (said.empty()) continue;
    line.frozen_for = meta.annotation(freeze::kFrozenFor);
    const auto consistency = said == to_string(freeze::Consistency::kFilesystem) ? freeze::Consistency::kFilesystem
                             : said == to_string(freeze::Consistency::kOffline)  ? freeze::Consistency::kOffline
                                                                                 : freeze::Consistency::kCrash;
    verdicts[meta.name] = {consistency, meta.annotation(freeze::kReason)};
  }
  line.disks = static_cast<int>(group.size());
  if (verdicts.size() < group.size()) return line;
  const Verdict verdict = freeze::judge_backup(names, verdicts);
  line.consistency = to_string(verdict.consistency);
  line.reason = verdict.reason;
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
  for (const auto& [key, group] : labelled) lines.push_back(describe(key.second, group));
  return lines;
}

}  // namespace

bool Status::good() const {
  return trouble.empty() && installed &&
         std::none_of(frozen.begin(), frozen.end(), [](const FrozenGuest& guest) { return guest.overdue; });
}

Status status_of(const StatusFacts& facts, std::size_t most_backups) {
  Status status{facts.now, facts.system_namespace, facts.trouble, facts.installed || !facts.sessions.empty(), {}, {}};
  for (const Session& session : facts.sessions) status.frozen.push_back(describe(facts, session));
  std::stable_sort(status.frozen.begin(), status.frozen.end(),
                   [](const FrozenGuest& a, const FrozenGuest& b) { return a.since < b.since; });
  status.backups = backups_of(facts);
  std::stable_sort(status.backups.begin(), status.backups.end(),
                   [](const BackupLine& a, const BackupLine& b) { return a.created > b.created; });
  if (status.backups.size() > most_backups) status.backups.resize(most_backups);
  return status;
}

}  // namespace snapfreeze::cli
