#include "freeze/fresh_look.h"

#include <algorithm>
#include <map>

#include "base/time.h"
#include "freeze/names.h"
#include "kube/paths.h"

namespace snapfreeze::freeze {
namespace {

constexpr std::string_view kAppLabel = "kubevirt.io";
constexpr std::string_view kHotplugDisk = "hotplug-disk";
constexpr std::string_view kAttachmentPrefix = "hp-volume-";

void later(std::optional<Wall>& last, const Json& value) {
  const auto time = parse_time(value.string());
  if (time && (!last || *time > *last)) last = *time;
}

// When its containers ended, or when its conditions last changed: an evicted pod no longer has containers.
std::optional<Wall> end_of_pod(const Json& status) {
  std::optional<Wall> ended;
  for (const char* list : {"containerStatuses", "initContainerStatuses"}) {
    for (const Json& container : status[list].items()) later(ended, container["state"]["terminated"]["finishedAt"]);
  }
  for (const Json& condition : status["conditions"].items()) later(ended, condition["lastTransitionTime"]);
  return ended;
}

bool is_attachment(const kube::Metadata& meta, const kube::OwnerReference& owner) {
  return owner.is("", kube::kPods.kind) && meta.label(kAppLabel) == kHotplugDisk &&
         meta.name.starts_with(kAttachmentPrefix);
}

bool migrated(const Session& session, const kube::MigrationState& state, const std::optional<std::string>& known,
              Millis margin) {
  if (state.active() || !session.created) return true;
  if (known && *known != state.uid) return true;
  const Wall since = *session.created - margin;
  const bool undated = !state.start && !state.end && !known;
  return undated || (state.start && *state.start >= since) || (state.end && *state.end >= since);
}

}  // namespace

DiskUser vmi_user(const Json& vmi) {
  auto view = kube::VmiView::from(vmi);
  DiskUser user;
  user.name = "VirtualMachineInstance " + view.metadata.name;
  user.vmi_uid = view.metadata.uid;
  user.claims = std::move(view.claims);
  user.finished = view.off();
  for (const Json& transition : vmi["status"]["phaseTransitionTimestamps"].items()) {
    if (transition["phase"].string() == view.phase) later(user.ended, transition["phaseTransitionTimestamp"]);
  }
  return user;
}

DiskUser pod_user(const Json& pod) {
  auto view = kube::PodView::from(pod);
  DiskUser user;
  user.name = "Pod " + view.metadata.name;
  user.pod_uid = view.metadata.uid;
  if (const kube::OwnerReference* owner = view.metadata.controller()) {
    if (owner->is(kube::kVirtualMachineInstances.group, kube::kVirtualMachineInstances.kind)) user.vmi_uid = owner->uid;
    if (is_attachment(view.metadata, *owner)) user.serves = owner->uid;
  }
  user.claims = std::move(view.claims);
  user.finished = view.finished;
  if (user.finished) user.ended = end_of_pod(pod["status"]);
  return user;
}

bool active_since(const DiskUser& user, Wall since) {
  return !user.finished || (user.ended && *user.ended >= since);
}

void follow_attachments(std::vector<DiskUser>& users) {
  std::map<std::string, std::string, std::less<>> launchers;
  for (const DiskUser& user : users) {
    if (!user.pod_uid.empty() && !user.vmi_uid.empty()) launchers[user.pod_uid] = user.vmi_uid;
  }
  for (DiskUser& user : users) {
    const auto launcher = launchers.find(user.serves);
    if (launcher != launchers.end()) user.vmi_uid = launcher->second;
  }
}

const DiskUser* other_user(std::span<const DiskUser> users, std::string_view claim, std::string_view vmi_uid,
                           Wall since) {
  const auto found = std::find_if(users.begin(), users.end(), [&](const DiskUser& user) {
    const bool own = !vmi_uid.empty() && user.vmi_uid == vmi_uid;
    return !own && active_since(user, since) &&
           std::find(user.claims.begin(), user.claims.end(), claim) != user.claims.end();
  });
  return found == users.end() ? nullptr : &*found;
}

std::string_view offline_doubt(const AtRest& disk, std::string& culprit) {
  const auto& vmi = disk.vmi;
  if (vmi && (!vmi->off() || vmi->metadata.creation_timestamp.value_or(Wall::max()) >= disk.since)) {
    return reason::kStarted;
  }
  const auto has = [&](const std::vector<std::string>& claims) {
    return std::find(claims.begin(), claims.end(), disk.claim) != claims.end();
  };
  if (!(disk.vm && has(disk.vm->claims)) && !(vmi && has(vmi->claims))) return reason::kNotItsDisk;
  // It was off before, and can only be replaced. But a launcher that has not finished may still write.
  const DiskUser* user = other_user(disk.users, disk.claim, vmi ? vmi->metadata.uid : "", disk.since);
  if (user == nullptr) user = other_user(disk.users, disk.claim, "", Wall::max());
  if (user == nullptr) return "";
  culprit = user->name;
  return reason::kSharedDisk;
}

std::string_view guest_doubt(const Session& session, const std::optional<kube::VmiView>& vmi,
                             const std::optional<std::string>& migration, Millis margin) {
  const bool same = vmi && !vmi->metadata.uid.empty() && vmi->metadata.uid == session.vmi_uid;
  if (!same || !vmi->running() || vmi->metadata.deleting) return reason::kRestarted;
  if (vmi->migration && migrated(session, *vmi->migration, migration, margin)) return reason::kMigrated;
  if (!vmi->agent_connected) return reason::kAgentLost;
  return "";
}

}  // namespace snapfreeze::freeze
