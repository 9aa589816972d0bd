#include "freeze/interference.h"

#include <algorithm>

#include "freeze/names.h"
#include "kube/time.h"

namespace snapfreeze::freeze {
namespace {

// Harvester's freeze when the backup names no deadline.
constexpr Millis kHarvesterDeadline{1000};
// Harvester reconciles a backup once more right after it has ended.
constexpr std::chrono::seconds kAfterwards{5};
// What is over without saying since when is taken for over this long after its creation.
constexpr std::chrono::hours kLongOver{1};

std::optional<Wall> time_of(const Json& value) {
  const auto time = kube::parse_time(value.string());
  return time ? std::optional<Wall>(*time) : std::nullopt;
}

// The last change of any condition: what is over has not changed since.
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

bool may_have_acted_since(const Freezer& freezer, Wall since) {
  if (!freezer.over) return true;
  if (freezer.ended) return *freezer.ended >= since;
  return !freezer.created || *freezer.created + kLongOver >= since;
}

bool may_have_slipped_in(const Session& session, const Freezer& backup) {
  const bool created_after = backup.created && session.frozen_by && *backup.created > *session.frozen_by;
  return !created_after && (!session.created || may_have_acted_since(backup, *session.created - kAfterwards));
}

}  // namespace

Freezer harvester_backup(const Json& backup) {
  Freezer result = freezer(backup, backup["status"]["readyToUse"].boolean());
  const auto deadline = kube::parse_duration(backup["spec"]["fsFreezeDeadline"].string());
  if (deadline) result.deadline = *deadline;
  return result;
}

Freezer kubevirt_snapshot(const Json& snapshot) {
  const std::string& phase = snapshot["status"]["phase"].string();
  return freezer(snapshot, phase == "Succeeded" || phase == "Failed");
}

Freezer kubevirt_backup(const Json& backup) {
  Freezer result = freezer(backup, condition_is(backup, "Done", "True"));
  // An incremental backup names a VirtualMachineBackupTracker, and only that names the VM.
  if (backup["spec"]["source"]["kind"].string() != "VirtualMachine") result.vm.clear();
  return result;
}

Proof proof_window(const Session& session, Millis margin, std::span<const Freezer> harvester_backups) {
  Proof proof{std::chrono::duration_cast<Millis>(session.timer), reason::kCutTooLate};
  const std::string& beginner = session.holds.empty() ? session.uid : session.holds.front().uid;
  for (const Freezer& backup : harvester_backups) {
    if (backup.vm != session.vm || backup.uid == beginner || !may_have_slipped_in(session, backup)) continue;
    const Millis deadline = backup.deadline.value_or(kHarvesterDeadline);
    const bool no_timer = deadline == Millis(0);
    if (!no_timer && deadline < proof.window) proof = {deadline, reason::kOtherBackup};
  }
  proof.window -= margin;
  return proof;
}

bool kubevirt_interfered(const Session& session, std::span<const Freezer> freezers) {
  return std::any_of(freezers.begin(), freezers.end(), [&](const Freezer& freezer) {
    const bool of_this_vm = freezer.vm == session.vm || freezer.vm.empty();
    return of_this_vm && (!session.created || may_have_acted_since(freezer, *session.created));
  });
}

}  // namespace snapfreeze::freeze
