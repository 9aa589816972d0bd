#include "cli/shared/spoilers.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/time.h"
#include "freeze/names.h"
#include "kube/paths.h"
#include "webhook/budget.h"

namespace snapfreeze::cli {
namespace {

// Harvester may have frozen the guest just before the session began.
constexpr std::chrono::seconds kBefore{5};
// The longest T that most installations allow.
constexpr Millis kLongFreeze{60000};

bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool counts(const std::optional<Wall>& at, const Spoiled& spoiled) {
  if (!at) return false;
  const bool early = spoiled.from && *at < *spoiled.from - kBefore;
  const bool late = spoiled.until && *at > *spoiled.until;
  return !early && !late;
}

bool is_unfinished(const kube::BackupView& backup, const Others& others) {
  return freezes_again(backup, [&](const std::string& name) {
    return std::any_of(others.snapshots.begin(), others.snapshots.end(),
                       [&](const MadeSnapshot& snapshot) { return snapshot.name == name; });
  });
}

std::string error_of(const kube::BackupView& backup) {
  const std::string when = backup.error_time ? " at " + format_time(*backup.error_time) : "";
  return "failed" + when + ": " + backup.error;
}

// Why it counts; "" when it does not.
std::string activity_of(const kube::BackupView& backup, const Spoiled& spoiled, const Others& others) {
  for (const MadeSnapshot& snapshot : others.snapshots) {
    if (snapshot.backup_uid == backup.metadata.uid && counts(snapshot.created, spoiled)) {
      return "made its snapshot " + snapshot.name + " at " + format_time(*snapshot.created);
    }
  }
  if (never_froze(backup)) return "";
  if (counts(backup.error_time, spoiled)) return error_of(backup);
  const auto& created = backup.metadata.creation_timestamp;
  if (counts(created, spoiled)) return "was created at " + format_time(*created);
  // Each attempt overwrites the time of the previous one.
  const bool was_there = !spoiled.until || !created || *created <= *spoiled.until;
  const bool tried_since = backup.error_time && spoiled.until && *backup.error_time > *spoiled.until;
  return was_there && tried_since && is_unfinished(backup, others) ? error_of(backup) : "";
}

bool is_another_of_the_vm(const kube::BackupView& backup, const Spoiled& spoiled) {
  return backup.source_name == spoiled.vm && backup.metadata.uid != spoiled.backup_uid;
}

// The VM of a launcher pod, or of a pod that attaches a disk to it; "" for any other pod.
std::string vm_of(const kube::PodView& pod, const std::map<std::string, const kube::PodView*>& pods) {
  const kube::PodView* one = &pod;
  for (int hops = 0; hops < 2; ++hops) {
    const kube::OwnerReference* const owner = one->metadata.controller();
    if (owner == nullptr) return "";
    if (owner->is(kube::kVirtualMachineInstances.group, kube::kVirtualMachineInstances.kind)) return owner->name;
    const auto above = owner->is("", "Pod") ? pods.find(owner->name) : pods.end();
    if (above == pods.end()) return "";
    one = above->second;
  }
  return "";
}

struct Use {
  std::string user;  // "VM web", "pod copy-0"
  std::string claim;
  auto operator<=>(const Use&) const = default;
};

// Users of the claims other than the VM itself.
std::set<Use> uses_of(const std::vector<std::string>& claims, const Spoiled& spoiled, const Others& others) {
  std::set<Use> uses;
  const auto note = [&](const std::string& user, const std::vector<std::string>& used) {
    for (const std::string& claim : used) {
      if (has(claims, claim)) uses.insert({user, claim});
    }
  };
  for (const kube::VmiView& vmi : others.vmis) {
    if (!vmi.off() && vmi.metadata.name != spoiled.vm) note("VM " + vmi.metadata.name, vmi.claims);
  }
  std::map<std::string, const kube::PodView*> pods;
  for (const kube::PodView& pod : others.pods) pods[pod.metadata.name] = &pod;
  for (const kube::PodView& pod : others.pods) {
    if (pod.finished) continue;
    const std::string vm = vm_of(pod, pods);
    if (vm == spoiled.vm && !vm.empty()) continue;
    note(vm.empty() ? "pod " + pod.metadata.name : "VM " + vm, pod.claims);
  }
  return uses;
}

std::vector<std::string> claims_of_vm(const Spoiled& spoiled, const Others& others) {
  for (const kube::VmiView& vmi : others.vmis) {
    if (vmi.metadata.name == spoiled.vm && !vmi.off()) return vmi.claims;
  }
  for (const kube::VmView& vm : others.vms) {
    if (vm.metadata.name == spoiled.vm) return vm.claims;
  }
  return {};
}

void add_freezers(const std::string& kind, const std::vector<freeze::Freezer>& freezers, const Spoiled& spoiled,
                  std::vector<std::string>& phrases) {
  freeze::Session session;
  session.vm = spoiled.vm;
  session.created = spoiled.from;
  for (const freeze::Freezer& freezer : freezers) {
    const bool later = freezer.created && spoiled.until && *freezer.created > *spoiled.until;
    if (later || !freeze::kubevirt_interfered(session, {&freezer, 1})) continue;
    const std::string state = !freezer.over   ? "under way"
                              : freezer.ended ? "until " + format_time(*freezer.ended)
                                              : "over by now";
    std::string phrase = "KubeVirt's ";
    phrase.append(kind).append(" ").append(freezer.name).append(", ").append(state);
    phrases.push_back(std::move(phrase));
  }
}

}  // namespace

MadeSnapshot MadeSnapshot::from(const kube::SnapshotView& view) {
  const kube::OwnerReference* const owner = view.metadata.controller();
  const bool harvesters = owner != nullptr && owner->is(kube::kHarvesterBackups.group, kube::kHarvesterBackups.kind);
  return {view.metadata.name, harvesters ? owner->uid : "", view.source_pvc, view.metadata.creation_timestamp};
}

Spoiled spoiled_backup(std::string vm, std::string backup_uid, std::span<const MadeSnapshot> snapshots,
                       const std::string& frozen_for) {
  Spoiled spoiled{std::move(vm), std::move(backup_uid), {}, {}, {}};
  std::optional<Wall> first;
  std::optional<Wall> last;
  for (const MadeSnapshot& snapshot : snapshots) {
    if (!snapshot.claim.empty()) spoiled.claims.push_back(snapshot.claim);
    const auto& created = snapshot.created;
    if (created && (!first || *created < *first)) first = created;
    if (created && (!last || *created > *last)) last = created;
  }
  if (!first) return spoiled;
  const auto lasted = parse_duration(frozen_for);
  // A session begins before the admission of its first snapshot has ended.
  spoiled.from = *first - webhook::kLongestAdmission;
  spoiled.until = *last + (lasted ? *lasted : kLongFreeze);
  return spoiled;
}

std::vector<std::string> other_backups(const Spoiled& spoiled, const Others& others) {
  std::vector<std::string> phrases;
  for (const kube::BackupView& backup : others.backups) {
    if (!is_another_of_the_vm(backup, spoiled)) continue;
    const std::string activity = activity_of(backup, spoiled, others);
    if (!activity.empty()) phrases.push_back("backup " + backup.metadata.name + ", which " + activity);
  }
  return phrases;
}

std::vector<std::string> backups_to_be_retried(const Spoiled& spoiled, const Others& others) {
  std::vector<std::string> phrases;
  for (const kube::BackupView& backup : others.backups) {
    const bool fails = is_another_of_the_vm(backup, spoiled) && !backup.error.empty();
    if (fails && is_unfinished(backup, others)) {
      phrases.push_back("backup " + backup.metadata.name + ", which " + error_of(backup));
    }
  }
  return phrases;
}

std::vector<std::string> kubevirt_freezers(const Spoiled& spoiled, const Others& others) {
  std::vector<std::string> phrases;
  add_freezers("snapshot", others.kubevirt_snapshots, spoiled, phrases);
  add_freezers("backup", others.kubevirt_backups, spoiled, phrases);
  return phrases;
}

std::vector<std::string> disk_users(const Spoiled& spoiled, const Others& others) {
  std::vector<std::string> phrases;
  for (const Use& use : uses_of(spoiled.claims, spoiled, others)) {
    phrases.push_back(use.user + ", which uses the disk " + use.claim);
  }
  return phrases;
}

std::vector<std::string> owners_of_foreign_disks(const Spoiled& spoiled, const Others& others) {
  const std::vector<std::string> own = claims_of_vm(spoiled, others);
  std::vector<std::string> phrases;
  for (const std::string& claim : spoiled.claims) {
    if (has(own, claim)) continue;
    std::set<std::string> owners;
    for (const Use& use : uses_of({claim}, spoiled, others)) owners.insert(use.user);
    for (const kube::VmView& vm : others.vms) {
      if (vm.metadata.name != spoiled.vm && has(vm.claims, claim)) owners.insert("VM " + vm.metadata.name);
    }
    const auto planned = [&](const kube::VmView& vm) {
      return vm.metadata.name == spoiled.vm && has(vm.claims, claim);
    };
    if (std::any_of(others.vms.begin(), others.vms.end(), planned)) {
      phrases.push_back("the disk " + claim + ", which the running guest does not have yet");
    } else if (owners.empty()) {
      phrases.push_back("the disk " + claim + ", which no VM has");
    }
    const std::string whose = ", which has the disk " + claim;
    for (const std::string& owner : owners) phrases.push_back(owner + whose);
  }
  return phrases;
}

void Wanted::add(std::string_view reason) {
  namespace reasons = freeze::reason;
  const bool by_anyone = reason == reasons::kLapsed || reason == reasons::kFrozenByOther;
  if (reason == reasons::kOtherBackup || by_anyone) backups = true;
  const bool kubevirts = reason == reasons::kKubevirtSnapshot || reason == reasons::kSnapshotInProgress;
  if (kubevirts || by_anyone) kubevirt = true;
  if (reason == reasons::kSharedDisk || reason == reasons::kNotItsDisk) disks = true;
}

std::vector<std::string> spoilers_of(std::string_view reason, const Spoiled& spoiled, const Others& others) {
  namespace reasons = freeze::reason;
  Wanted wanted;
  wanted.add(reason);
  std::vector<std::string> phrases;
  const auto add = [&](std::vector<std::string> more) { phrases.insert(phrases.end(), more.begin(), more.end()); };
  if (wanted.backups) add(other_backups(spoiled, others));
  if (wanted.kubevirt) add(kubevirt_freezers(spoiled, others));
  if (reason == reasons::kSharedDisk) add(disk_users(spoiled, others));
  if (reason == reasons::kNotItsDisk) add(owners_of_foreign_disks(spoiled, others));
  const bool sure = wanted.any() && reason != reasons::kLapsed && reason != reasons::kFrozenByOther;
  if (sure && phrases.empty() && others.unseen.empty()) phrases.emplace_back("whatever it was is gone by now");
  return phrases;
}

}  // namespace snapfreeze::cli
