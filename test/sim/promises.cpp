#include "test/sim/promises.h"

#include <algorithm>

#include "freeze/names.h"
#include "test/sim/callers.h"
#include "test/sim/findings.h"
#include "test/sim/growth.h"
#include "test/sim/holders.h"
#include "test/sim/restraint.h"
#include "test/sim/thaws.h"
#include "test/sim/verdicts.h"

namespace sim {
namespace {

using namespace std::chrono_literals;
using cluster::FrozenInterval;
using cluster::Mono;

class Judge : Findings {
 public:
  Judge(History& history, const Holders& holders)
      : Findings(history), record_(history.installation.record()), holders_(holders) {}

  std::vector<std::string> broken() {
    admissions_are_allowed_in_time();
    sessions_end();
    sessions_judge();
    calls_are_on_record();
    who_opted_out_is_left_alone();
    clean_backups_are_consistent();
    undisturbed_backups_are_consistent();
    each_backup_freezes_once();
    return std::move(broken_);
  }

 private:
  void admissions_are_allowed_in_time();
  [[nodiscard]] bool has_agent(const std::string& vm);
  void sessions_end();
  void sessions_judge();
  void calls_are_on_record();
  void who_opted_out_is_left_alone();
  void clean_backups_are_consistent();
  void undisturbed_backups_are_consistent();
  std::string said_of(const std::string& ns, const std::string& backup) const;
  bool undisturbed(const Backup& backup, const cluster::VmOptions& vm) const;
  bool has_a_pod(const cluster::VmOptions& vm) const;
  bool never_ends(const cluster::VmOptions& vm) const;
  [[nodiscard]] bool edited_one_of(const cluster::VmOptions& vm) const;
  bool another_came_beside(const std::string& backup, const cluster::VmOptions& vm) const;
  void each_backup_freezes_once();
  bool shares_a_disk(const cluster::VmOptions& vm) const;

  Record& record_;
  const Holders& holders_;
};

void Judge::admissions_are_allowed_in_time() {
  const bool stopped = history_.stopped.contains("webhook-0") || history_.stopped.contains("webhook-1");
  for (const auto& entry : truth_.timeline()) {
    if (entry.kind != "admission") continue;
    if (entry.detail.starts_with("denied")) fail(1, entry.object + " was " + entry.detail + when(entry.at));
    if (!stopped && entry.detail.starts_with("context deadline")) {
      fail(1, entry.object + " was held up: " + entry.detail + when(entry.at));
    }
  }
}

bool Judge::has_agent(const std::string& vm) {
  return history_.cluster.locked([&] { return history_.cluster.guests().agent_connected(kNamespace, vm); });
}

void Judge::sessions_end() {
  for (const std::string& lease : history_.names("coordination.k8s.io", "leases", kOwnNamespace)) {
    if (lease == snapfreeze::freeze::kLeaderLease || history_.records_touched.contains(lease)) continue;
    // A guest that is off, and that a restored etcd calls running, cannot be thawed. Its session is given up after an
    // hour.
    const std::string vm = lease.substr(lease.find('.') + 1);
    if (history_.restored && history_.hindered.contains(vm)) continue;
    // Likewise that of a guest whose agent does not come back. A backup that Harvester has frozen for may name a guest
    // that never had one, if somebody has changed it.
    const bool tried =
        history_.thaw_commands.contains(vm) || history_.hindered.contains(vm) || !history_.edited_backups.empty();
    if (tried && !has_agent(vm)) continue;
    fail(7, "the session " + lease + " is left at the end");
  }
}

// And says what its disks are worth.
void Judge::sessions_judge() {
  if (history_.restored) return;
  for (const std::string& name : history_.names("snapshot.storage.k8s.io", "volumesnapshots", kNamespace)) {
    if (history_.edited_snapshots.contains(name)) continue;
    const auto object = history_.cluster.get("snapshot.storage.k8s.io/volumesnapshots", kNamespace, name);
    const auto& metadata = object["metadata"];
    const std::string epoch =
        metadata.value("labels", cluster::Json::object()).value(snapfreeze::freeze::kEpochLabel, "");
    // Disks at rest are not judged until they are captured, which may be never.
    if (epoch.empty() || epoch == snapfreeze::freeze::kEpochOffline || metadata.contains("deletionTimestamp")) continue;
    const auto annotations = metadata.value("annotations", cluster::Json::object());
    if (!annotations.contains(snapfreeze::freeze::kConsistency)) fail(7, name + " has no verdict at the end");
  }
}

void Judge::calls_are_on_record() {
  for (const std::string& call : record_.unrecorded()) {
    std::string guest = call.substr(call.rfind(' ') + 1);
    std::replace(guest.begin(), guest.end(), '/', '.');
    if (history_.restored || history_.records_touched.contains(guest)) continue;
    fail(10, call + " was not on record");
  }
  const bool unknown = history_.restored || history_.records_touched.contains(snapfreeze::freeze::kLeaderLease);
  for (const std::string& call : record_.unled()) {
    if (!unknown) fail(10, call + ", while another one led");
  }
}

void Judge::who_opted_out_is_left_alone() {
  for (const auto& vm : history_.plan().vms) {
    if (!vm.annotations.contains("snapfreeze.harvesterhci.io/skip") || history_.edited_names.contains(vm.name))
      continue;
    for (const FrozenInterval& interval : truth_.intervals(vm.ns + "/" + vm.name)) {
      if (is_ours(interval.frozen_by)) fail(5, vm.name + " opted out, and was frozen" + when(interval.from));
    }
  }
}

bool Judge::shares_a_disk(const cluster::VmOptions& vm) const {
  const auto& vms = history_.plan().vms;
  return !vm.shares.empty() || std::any_of(vms.begin(), vms.end(), [&](const auto& other) {
    return std::any_of(other.shares.begin(), other.shares.end(),
                       [&](const auto& claim) { return claim.starts_with(vm.name + "-"); });
  });
}

// It is still there, or a restored etcd says so.
bool Judge::has_a_pod(const cluster::VmOptions& vm) const {
  for (const std::string& pod : history_.names("", "pods", vm.ns)) {
    const auto object = history_.cluster.get("/pods", vm.ns, pod);
    const bool kubevirts = object["metadata"].contains("ownerReferences");
    if (!kubevirts && object["spec"].dump().find("\"" + vm.name + "-disk-") != std::string::npos) return true;
  }
  return std::any_of(holders_.begin(), holders_.end(), [&](const auto& item) {
    return item.first.starts_with(vm.ns + "/" + vm.name + "-") &&
           std::any_of(item.second.begin(), item.second.end(), [](const Holder& holder) {
             return holder.by.starts_with("pod ") && holder.until == cluster::kNever;
           });
  });
}

// A snapshot or backup of KubeVirt's whose end a restored etcd has forgotten.
bool Judge::never_ends(const cluster::VmOptions& vm) const {
  return history_.restored && history_.hindered.contains(vm.name);
}

// Harvester finished an older backup of the VM meanwhile, which had lost a snapshot: it freezes for that one, too.
bool Judge::another_came_beside(const std::string& backup, const cluster::VmOptions& vm) const {
  bool begun = false;
  for (const auto& entry : truth_.timeline()) {
    if (entry.kind != "create" || entry.object.find("-volume-" + vm.name + "-") == std::string::npos) continue;
    const bool its_own = entry.object.starts_with(vm.ns + "/" + backup + "-");
    if (begun && !its_own) return true;
    begun = begun || its_own;
  }
  return false;
}

bool Judge::edited_one_of(const cluster::VmOptions& vm) const {
  const auto& backups = history_.plan().backups;
  return std::any_of(backups.begin(), backups.end(), [&](const Backup& backup) {
    return backup.vm == vm.name && history_.edited_backups.contains(backup.name);
  });
}

void Judge::clean_backups_are_consistent() {
  for (const auto& vm : history_.plan().vms) {
    const std::string name = "clean-" + vm.name;
    if (!history_.clean_backups.contains(name) || shares_a_disk(vm) || has_a_pod(vm) || never_ends(vm) ||
        vm.freeze_latency > 2s || vm.thaw_latency > 300ms || vm.vss_limit < 10s) {
      continue;
    }
    const std::string said = said_of(vm.ns, name);
    // One of KubeVirt's own may be under way still.
    const bool kubevirts = said == "crash snapshot-in-progress" || said == "crash kubevirt-snapshot";
    if (kubevirts && history_.hindered.contains(vm.name)) continue;
    // A restored etcd may have forgotten a backup that was under way: it counts as one that was deleted, for an hour.
    // One that somebody edited may be under way for ever.
    const bool another = history_.restored || edited_one_of(vm) || another_came_beside(name, vm);
    if (said == "crash other-backup" && another) continue;
    if (said != "filesystem") fail(4, name + ", which nothing disturbed, is said to be " + said);
  }
}

// "crash no-agent"
std::string Judge::said_of(const std::string& ns, const std::string& backup) const {
  const auto object = history_.cluster.get("harvesterhci.io/virtualmachinebackups", ns, backup);
  if (object.is_null()) return "gone";
  const auto annotations = object["metadata"].value("annotations", cluster::Json::object());
  const std::string why = annotations.value("snapfreeze.harvesterhci.io/reason", "");
  return annotations.value("snapfreeze.harvesterhci.io/consistency", "nothing") + (why.empty() ? "" : " " + why);
}

// A healthy backup in a history without accidents: one of its VM, in one round, on storage that cuts well within T.
bool Judge::undisturbed(const Backup& backup, const cluster::VmOptions& vm) const {
  const Plan& plan = history_.plan();
  const auto same_vm = [&](const Backup& other) { return other.vm == backup.vm; };
  if (plan.accidents != 0 || plan.installation.webhook.settings.max_freezes == 1 || plan.labelled.contains(vm.name) ||
      shares_a_disk(vm))
    return false;
  if (std::count_if(plan.backups.begin(), plan.backups.end(), same_vm) != 1 || plan.harvester.disks_first >= 0)
    return false;
  if (!vm.running || !vm.agent || !vm.annotations.empty() || vm.windows) return false;
  if (vm.freeze_latency > 2s || vm.thaw_latency > 300ms) return false;
  if (plan.installation.sweeper.what.thaw_on == snapfreeze::sweeper::ThawOn::kReady) return false;
  if (backup.deadline == "1s" || backup.deadline == "5s" || backup.deadline == "6s") return false;
  return std::all_of(plan.disks.begin(), plan.disks.end(), [&](const auto& item) {
    const cluster::DiskOptions& disk = item.second;
    const bool slow = disk.style == cluster::StorageStyle::kOldLonghorn && backup.deadline == "10s";
    return !item.first.starts_with(vm.name + "-") || (disk.cut <= 900ms && disk.reported && !disk.live.lies &&
                                                      !disk.never && !disk.fails && disk.interim_errors == 0 && !slow);
  });
}

void Judge::undisturbed_backups_are_consistent() {
  for (const Backup& backup : history_.plan().backups) {
    const auto& vms = history_.plan().vms;
    const auto vm = std::find_if(vms.begin(), vms.end(), [&](const auto& one) { return one.name == backup.vm; });
    if (!undisturbed(backup, *vm)) continue;
    const std::string said = said_of(vm->ns, backup.name);
    if (said != "filesystem") fail(4, backup.name + ", which nothing disturbed, is said to be " + said);
  }
}

// However late its other disks come, and whatever becomes of them.
void Judge::each_backup_freezes_once() {
  const Plan& plan = history_.plan();
  if (plan.accidents != 0) return;
  for (const auto& vm : plan.vms) {
    const auto same_vm = [&](const Backup& one) { return one.vm == vm.name; };
    const auto backups = std::count_if(plan.backups.begin(), plan.backups.end(), same_vm);
    const bool for_others = plan.labelled.contains(vm.name) || shares_a_disk(vm);
    if (backups == 0 || for_others || vm.freeze_latency > 2s || vm.thaw_latency > 300ms) continue;
    const auto& all = truth_.intervals(vm.ns + "/" + vm.name);
    const auto freezes = std::count_if(all.begin(), all.end(), [&](const FrozenInterval& interval) {
      return is_webhook(interval.frozen_by) && interval.from < history_.calm();
    });
    if (freezes > backups) {
      fail(6, std::to_string(backups) + " backups froze " + vm.name + " " + std::to_string(freezes) + " times");
    }
  }
}

}  // namespace

std::vector<std::string> broken_promises(History& history) {
  const Holders holders = holders_of(history.cluster.truth());
  std::vector<std::string> broken = Judge(history, holders).broken();
  for (std::string& one : false_verdicts(history, holders)) broken.push_back(std::move(one));
  for (std::string& one : broken_thaws(history)) broken.push_back(std::move(one));
  for (std::string& one : broken_restraint(history)) broken.push_back(std::move(one));
  for (std::string& one : broken_growth(history)) broken.push_back(std::move(one));
  return broken;
}

}  // namespace sim
