#include "test/sim/verdicts.h"

#include <algorithm>
#include <optional>

#include "test/sim/callers.h"
#include "test/sim/findings.h"

namespace sim {
namespace {

using cluster::FrozenInterval;
using cluster::Mono;

constexpr char kVmHolds[] = "vm ";
constexpr std::chrono::seconds kPolled{5};
constexpr std::chrono::seconds kReported{12};

// "vms/vm0" of "vms/vm0-disk-1".
std::string vm_of(const std::string& disk) {
  return disk.substr(0, disk.rfind("-disk-"));
}

class Verdicts : Findings {
 public:
  Verdicts(History& history, const Holders& holders)
      : Findings(history), record_(history.installation.record()), holders_(holders) {}

  std::vector<std::string> broken() {
    verdicts_are_true();
    return std::move(broken_);
  }

 private:
  void verdicts_are_true();
  std::vector<std::string> members_of(const Claim& claim) const;
  void verdict_is_true(const Claim& claim);
  std::optional<Mono> cut_of(const Claim& claim, const std::string& name) const;
  bool holds(const Claim& claim, const std::string& disk, Mono first, Mono last) const;
  bool came_and_went_unseen(const Claim& claim, const std::string& disk, const Holder& holder, Mono cut) const;
  std::set<std::string> users_of(const std::vector<std::string>& disks) const;
  bool is_frozen(const std::string& holder, Mono first, Mono last) const;
  bool is_known(const std::string& holder) const;
  bool was_thawed_by_hand(const std::string& vm, Mono cut) const;
  bool froze_in_between(const std::string& vm) const;

  Record& record_;
  const Holders& holders_;
};

// A VM whose instance the API still shows.
bool Verdicts::is_known(const std::string& holder) const {
  if (!holder.starts_with(kVmHolds)) return false;
  const std::string name = holder.substr(holder.find('/') + 1);
  return !history_.cluster.get("kubevirt.io/virtualmachineinstances", kNamespace, name).is_null();
}

bool Verdicts::is_frozen(const std::string& holder, Mono first, Mono last) const {
  if (!holder.starts_with(kVmHolds)) return false;
  const auto& all = truth_.intervals(holder.substr(std::string(kVmHolds).size()));
  return std::any_of(all.begin(), all.end(), [&](const FrozenInterval& one) {
    return one.whole && one.from <= first && (!one.until || *one.until >= last);
  });
}

// A known limit: a pod that was not there when the session began, or when a disk at rest was first seen, and that has
// gone, while no watch of pods tells of either.
bool Verdicts::came_and_went_unseen(const Claim& claim, const std::string& disk, const Holder& holder, Mono cut) const {
  if (!history_.pods_hidden || !holder.by.starts_with("pod ") || holder.until > claim.at) return false;
  std::string lease = vm_of(disk);
  std::replace(lease.begin(), lease.end(), '/', '.');
  for (const LeaseSpan& span : record_.leases()) {
    if (span.lease == lease && span.from <= cut && span.until >= cut) return holder.from >= span.from;
  }
  for (const cluster::Cut& one : truth_.cuts()) {
    if (one.ns + "/" + one.pvc != disk || one.at < cut || one.at > claim.at) continue;
    for (const auto& entry : truth_.timeline()) {
      if (entry.kind == "create" && entry.object == one.ns + "/" + one.snapshot) return holder.from >= entry.at;
    }
  }
  return false;
}

// From the first cut to the last, whoever had the disk was frozen; or nobody had it.
bool Verdicts::holds(const Claim& claim, const std::string& disk, Mono first, Mono last) const {
  const std::string& consistency = claim.consistency;
  int writers = 0;
  const auto found = holders_.find(disk);
  if (found != holders_.end()) {
    for (const Holder& holder : found->second) {
      if (holder.from > last || holder.until < first) continue;
      // A known limit: of a pod, or of a guest that was started, that a restored etcd never knew the API has no trace.
      if (history_.restored && !is_known(holder.by) && !is_frozen(holder.by, first, last)) continue;
      if (came_and_went_unseen(claim, disk, holder, first)) continue;
      ++writers;
      if (consistency == "filesystem" && !is_frozen(holder.by, first, last)) return false;
    }
  }
  return consistency == "offline" ? writers == 0 : writers > 0;
}

std::optional<Mono> Verdicts::cut_of(const Claim& claim, const std::string& name) const {
  std::optional<Mono> latest;
  for (const cluster::Cut& cut : truth_.cuts()) {
    if (cut.ns == claim.ns && cut.snapshot == name && cut.at <= claim.at) latest = cut.at;
  }
  return latest;
}

// Somebody may change the backup's list between our look at it and our verdict. It is then of those that were made.
std::vector<std::string> Verdicts::members_of(const Claim& claim) const {
  if (claim.of == "volumesnapshots") return {claim.name};
  if (!history_.edited_backups.contains(claim.name)) return claim.members;
  std::vector<std::string> made;
  for (const cluster::Cut& cut : truth_.cuts_of(claim.ns, claim.name)) made.push_back(cut.snapshot);
  return made;
}

// A known limit, as the documents say. But a guest that stays thawed reports it within two polls.
bool Verdicts::was_thawed_by_hand(const std::string& vm, Mono cut) const {
  if (!history_.thawed_by_hand.contains(vm)) return false;
  if (history_.plan().hinders_us || history_.hindered.contains(vm)) return true;
  const auto& frozen = truth_.intervals(std::string(kNamespace) + "/" + vm);
  std::optional<Mono> thawed;
  Mono again = cut;
  for (const FrozenInterval& one : frozen) {
    if (one.thawed_by == "by-hand" && *one.until <= cut) {
      thawed = one.until;
      again = cut;
    } else if (thawed) {
      again = std::min(again, one.from);
    }
  }
  return thawed && again - *thawed <= kReported;
}

// A known limit: a freeze by hand slips in between our thaw and our freeze, or is not reported yet when a labelled
// backup begins, which thaws nobody. KubeVirt then accepts our freeze, and thaws the guest by the other one's timer. So
// does a freeze of Harvester's for a backup that an etcd restore has taken back.
bool Verdicts::froze_in_between(const std::string& vm) const {
  const std::string guest = std::string(kNamespace) + "/" + vm;
  const auto& frozen = truth_.intervals(guest);
  std::optional<Mono> thawed, by_hand;
  for (const auto& entry : truth_.timeline()) {
    if (entry.kind != "call" || entry.object != guest) continue;
    const std::string by = caller_of(entry);
    const bool freezes = entry.detail.starts_with("freeze ");
    if (freezes && by == "by-hand") by_hand = entry.at;
    if (!is_webhook(by)) continue;
    if (!freezes) thawed = entry.at;
    const bool unreported = std::any_of(frozen.begin(), frozen.end(), [&](const FrozenInterval& one) {
      const bool untold = one.frozen_by == "by-hand" || (history_.restored && is_harvester(one.frozen_by));
      return untold && one.from <= entry.at && one.from > entry.at - kPolled &&
             one.until.value_or(entry.at) >= entry.at;
    });
    if (freezes && unreported) return true;
    if (!freezes || !thawed || !by_hand || *by_hand < *thawed - kAdmission) continue;
    const bool first = std::any_of(frozen.begin(), frozen.end(), [&](const FrozenInterval& one) {
      return one.frozen_by == "by-hand" && one.from >= *thawed && one.from < entry.at + kAdmission;
    });
    if (first) return true;
  }
  return false;
}

// The names of the VMs that may have frozen for them: a disk may be another one's.
std::set<std::string> Verdicts::users_of(const std::vector<std::string>& disks) const {
  std::set<std::string> vms;
  for (const std::string& disk : disks) {
    vms.insert(vm_of(disk).substr(disk.find('/') + 1));
    const auto found = holders_.find(disk);
    if (found == holders_.end()) continue;
    for (const Holder& holder : found->second) {
      if (holder.by.starts_with(kVmHolds)) vms.insert(holder.by.substr(holder.by.find('/') + 1));
    }
  }
  return vms;
}

void Verdicts::verdict_is_true(const Claim& claim) {
  const std::vector<std::string> names = members_of(claim);
  std::optional<Mono> first, last;
  std::vector<std::string> claims;
  for (const std::string& name : names) {
    const auto at = cut_of(claim, name);
    if (!at)
      return fail(
          3, claim.name + " is said to be " + claim.consistency + when(claim.at) + ", but " + name + " was not cut");
    first = std::min(first.value_or(*at), *at);
    last = std::max(last.value_or(*at), *at);
    for (const cluster::Cut& cut : truth_.cuts()) {
      if (cut.ns == claim.ns && cut.snapshot == name && cut.at == *at) claims.push_back(cut.ns + "/" + cut.pvc);
    }
  }
  if (!first) return fail(3, claim.name + " is said to be " + claim.consistency + ", and has no disk");
  for (const std::string& vm : users_of(claims)) {
    if (was_thawed_by_hand(vm, *last) || froze_in_between(vm)) return;
  }
  for (const std::string& disk : claims) {
    if (!holds(claim, disk, *first, *last)) {
      return fail(3,
                  claim.name + " is said to be " + claim.consistency + when(claim.at) + ", which " + disk + " was not");
    }
  }
}

void Verdicts::verdicts_are_true() {
  for (const Claim& claim : record_.claims()) {
    const bool edited = history_.edited_snapshots.contains(claim.name) || history_.edited_backups.contains(claim.name);
    if (!claim.refused && claim.before == "crash" && claim.consistency != "crash" && !edited) {
      fail(3, claim.name + " was crash, and is said to be " + claim.consistency + when(claim.at));
    }
    if (!claim.refused && (claim.consistency == "filesystem" || claim.consistency == "offline")) verdict_is_true(claim);
  }
}

}  // namespace

std::vector<std::string> false_verdicts(History& history, const Holders& holders) {
  return Verdicts(history, holders).broken();
}

}  // namespace sim
