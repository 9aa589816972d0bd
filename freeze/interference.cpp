#include "freeze/interference.h"

#include <algorithm>

#include "base/time.h"
#include "freeze/names.h"
#include "kube/views.h"

namespace snapfreeze::freeze {
namespace {

// Harvester's freeze when the backup names no deadline.
constexpr Millis kHarvesterDeadline{1000};
// Harvester reconciles a backup again right after it has made a snapshot, and its clock is not the API server's.
constexpr std::chrono::seconds kAround{5};
// A freezer that is over but does not say since when counts as over this long after its creation.
constexpr std::chrono::hours kLongOver{1};

std::optional<Wall> time_of(const Json& value) {
  const auto time = parse_time(value.string());
  return time ? std::optional<Wall>(*time) : std::nullopt;
}

// The last change of any condition. A freezer that is over has not changed since.
std::optional<Wall> last_transition(const Json& object) {
  std::optional<Wall> last;
  for (const Json& condition : object["status"]["conditions"].items()) {
    for (const char* field : {"lastTransitionTime", "lastUpdateTime"}) {
      const auto time = time_of(condition[field]);
      if (time && (!last || *time > *last)) last = time;
    }
  }
  return last;
}

bool condition_is(const Json& object, std::string_view type, std::string_view status) {
  const auto& conditions = object["status"]["conditions"].items();
  return std::any_of(conditions.begin(), conditions.end(), [&](const Json& condition) {
    return condition["type"].string() == type && condition["status"].string() == status;
  });
}

Freezer freezer(const Json& object, bool over) {
  Freezer result;
  result.name = object["metadata"]["name"].string();
  result.uid = object["metadata"]["uid"].string();
  result.vm = object["spec"]["source"]["name"].string();
  result.created = time_of(object["metadata"]["creationTimestamp"]);
  result.over = over;
  if (over) result.ended = last_transition(object);
  return result;
}

bool may_have_been_active_since(const Freezer& freezer, Wall since) {
  if (!freezer.over) return true;
  if (freezer.ended) return *freezer.ended >= since;
  return !freezer.created || *freezer.created + kLongOver >= since;
}

// Sessions that Harvester's backups begin unfreeze first, which ends any earlier freeze.
bool unfroze_first(const Session& session) {
  return !session.holds.empty() && session.holds.front().kind == Hold::Kind::kHarvester;
}

// The time from which an act of the backup matters: its timer may still have been running.
Wall relevant_since(const Session& session, const Freezer& backup) {
  Millis before = kAround;
  if (!unfroze_first(session)) before = std::max(before, backup.deadline.value_or(kHarvesterDeadline));
  return *session.created - before;
}

bool is_another(const Session& session, const Freezer& backup) {
  const std::string& beginner = session.holds.empty() ? session.uid : session.holds.front().uid;
  return backup.vm == session.vm && backup.uid != beginner;
}

// While our freeze held, nobody else's had any effect. The creation is truncated to whole seconds, and may be by
// another API server's clock.
bool came_after(const Session& session, Millis margin, const Freezer& backup) {
  if (backup.created_later) return true;
  return backup.created && session.frozen_by && *backup.created >= *session.frozen_by + margin;
}

// The names are written before the first freeze.
bool never_froze(const Freezer& backup) {
  return backup.snapshots.empty() && !backup.froze;
}

bool joined(const Session& session, const Freezer& backup) {
  return std::any_of(session.holds.begin(), session.holds.end(),
                     [&](const Hold& hold) { return hold.kind == Hold::Kind::kHarvester && hold.uid == backup.uid; });
}

bool since_then(const std::optional<Wall>& time, Wall since) {
  return time && *time >= since;
}

bool may_have_acted(const Session& session, const Freezer& backup) {
  if (!session.created) return true;
  const Wall since = relevant_since(session, backup);
  if (backup.deleted) return may_have_been_active_since(backup, since);
  if (joined(session, backup)) return true;
  if (never_froze(backup)) return false;
  if (backup.all_made) return since_then(backup.last_made, since);
  if (backup.over) return may_have_been_active_since(backup, since);
  return !backup.created || since_then(backup.created, since) || since_then(backup.changed, since) ||
         since_then(backup.last_made, since);
}

}  // namespace

bool depends_on_snapshots(const Session& session, Millis margin, const Freezer& backup) {
  if (!session.created || backup.deleted || backup.snapshots.empty()) return false;
  if (!is_another(session, backup) || came_after(session, margin, backup) || joined(session, backup)) return false;
  const Wall since = relevant_since(session, backup);
  if (backup.over) return may_have_been_active_since(backup, since);
  return backup.created && !since_then(backup.created, since);
}

Freezer harvester_backup(const Json& backup) {
  const auto view = kube::BackupView::from(backup);
  Freezer result = freezer(backup, view.complete());
  result.deadline = view.fs_freeze_deadline;
  result.snapshots = view.snapshot_names;
  result.froze = view.harvester_froze;
  result.changed = last_transition(backup);
  if (!result.changed || (view.error_time && *view.error_time > *result.changed)) result.changed = view.error_time;
  return result;
}

Freezer kubevirt_snapshot(const Json& snapshot) {
  const std::string& phase = snapshot["status"]["phase"].string();
  return freezer(snapshot, phase == "Succeeded" || phase == "Failed");
}

Freezer kubevirt_backup(const Json& backup) {
  // Done up to KubeVirt 1.8; Complete or Failed since 1.9.
  const bool over = condition_is(backup, "Done", "True") || condition_is(backup, "Complete", "True") ||
                    condition_is(backup, "Failed", "True");
  Freezer result = freezer(backup, over);
  // An incremental backup names a VirtualMachineBackupTracker, and only that names the VM.
  if (backup["spec"]["source"]["kind"].string() != "VirtualMachine") result.vm.clear();
  return result;
}

const Freezer* harvester_interfered(const Session& session, Millis margin, std::span<const Freezer> backups) {
  const auto found = std::find_if(backups.begin(), backups.end(), [&](const Freezer& backup) {
    return is_another(session, backup) && !came_after(session, margin, backup) && may_have_acted(session, backup);
  });
  return found == backups.end() ? nullptr : &*found;
}

const Freezer* kubevirt_interfered(const Session& session, std::span<const Freezer> freezers) {
  const auto found = std::find_if(freezers.begin(), freezers.end(), [&](const Freezer& freezer) {
    const bool of_this_vm = freezer.vm == session.vm || freezer.vm.empty();
    return of_this_vm && (!session.created || may_have_been_active_since(freezer, *session.created));
  });
  return found == freezers.end() ? nullptr : &*found;
}

}  // namespace snapfreeze::freeze
