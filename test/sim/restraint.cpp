#include "test/sim/restraint.h"

#include <algorithm>
#include <optional>

#include "test/sim/callers.h"
#include "test/sim/findings.h"

namespace sim {
namespace {

using namespace std::chrono_literals;
using cluster::FrozenInterval;
using cluster::Mono;

// After a session that captured nothing.
constexpr auto kCoolDown = 60s;
// A call that is begun before is carried out so late; then we thaw at once, or when the rest ends.
constexpr auto kCallsAreLate = 130s;
// The longest T, what Harvester left frozen is seen to be so for longer than that, an election, and a backoff.
constexpr auto kWellAgain = 150s;
// A guest is asked every 5 s whether it is frozen.
constexpr auto kSeenLate = 15s;
// Harvester freezes at most so long before the guest is seen to be frozen, and writes down at most so much later how it
// went.
constexpr auto kSilence = 90s;
constexpr auto kWrittenLate = 15s;
// An attempt of Harvester's ends within that, or a freeze of it has got no reply; then it may come late, or fail
// half-way.
constexpr auto kAttempt = 5s;
constexpr auto kFailuresLast = 220s;
// Nobody's own timer runs for that long.
constexpr auto kLeftBehind = 10min;
// What is done so shortly before our thaw may be seen after it.
constexpr auto kAtOnce = 300ms;

class Restraint : Findings {
 public:
  using Findings::Findings;

  std::vector<std::string> broken() {
    for (const auto& vm : history_.plan().vms) {
      only_its_backups_thaw_it(vm);
      cools_down(vm);
      is_left_alone(vm);
      is_frozen_for_its_own_disks(vm);
      is_not_frozen_while_another_holds_it(vm);
      is_well_again(vm);
      is_rescued_only_from_harvester(vm);
    }
    return std::move(broken_);
  }

 private:
  // What we know of a guest was changed behind our back.
  [[nodiscard]] bool misled(const cluster::VmOptions& vm) const {
    return history_.restored || history_.records_touched.contains(lease_of(vm));
  }

  void only_its_backups_thaw_it(const cluster::VmOptions& vm);
  [[nodiscard]] bool was_rescued(const cluster::VmOptions& vm, const FrozenInterval& interval) const;
  [[nodiscard]] bool was_thawed_by_command(const cluster::VmOptions& vm, const FrozenInterval& interval) const;
  [[nodiscard]] bool was_frozen_for_a_backup(const std::string& guest, Mono until) const;
  [[nodiscard]] bool had_session(const cluster::VmOptions& vm, Mono from, Mono until) const;
  [[nodiscard]] bool came_after_its_thaw(const cluster::VmOptions& vm, const FrozenInterval& interval) const;
  void cools_down(const cluster::VmOptions& vm);
  [[nodiscard]] bool longhorn_lies_of(const cluster::VmOptions& vm) const;
  [[nodiscard]] bool was_cut(const cluster::VmOptions& vm, const FrozenInterval& interval) const;
  void is_left_alone(const cluster::VmOptions& vm);
  void is_frozen_for_its_own_disks(const cluster::VmOptions& vm);
  [[nodiscard]] bool was_admitted(const cluster::VmOptions& vm, Mono from) const;
  void is_not_frozen_while_another_holds_it(const cluster::VmOptions& vm);
  void is_well_again(const cluster::VmOptions& vm);
  void is_rescued_only_from_harvester(const cluster::VmOptions& vm);
  [[nodiscard]] bool is_of_harvester(const cluster::TimelineEntry& entry, const cluster::VmOptions& vm) const;
  [[nodiscard]] bool harvester_may_have_frozen(const cluster::VmOptions& vm, const FrozenInterval& freeze) const;
};

// By Harvester or by us, so shortly before that a thaw may be of that freeze.
bool Restraint::was_frozen_for_a_backup(const std::string& guest, Mono until) const {
  const auto& all = truth_.timeline();
  return std::any_of(all.begin(), all.end(), [&](const cluster::TimelineEntry& entry) {
    if (entry.kind != "call" || entry.object != guest || entry.at > until || entry.at < until - kCallsAreLate)
      return false;
    const std::string by = caller_of(entry);
    return entry.detail.starts_with("freeze ") && (is_ours(by) || is_harvester(by));
  });
}

// That is another check.
bool Restraint::was_rescued(const cluster::VmOptions& vm, const FrozenInterval& interval) const {
  const auto& all = history_.installation.record().rescues();
  return std::any_of(all.begin(), all.end(), [&](const Rescue& rescue) {
    return rescue.lease == lease_of(vm) && rescue.at >= interval.from && rescue.at <= *interval.until;
  });
}

// One that began before `until`, and ended after `from`.
bool Restraint::had_session(const cluster::VmOptions& vm, Mono from, Mono until) const {
  const auto& all = history_.installation.record().leases();
  return std::any_of(all.begin(), all.end(), [&](const LeaseSpan& span) {
    return span.lease == lease_of(vm) && span.from < until && span.until > from;
  });
}

// The sweeper thaws once more after an admin's thaw.
bool Restraint::was_thawed_by_command(const cluster::VmOptions& vm, const FrozenInterval& interval) const {
  const auto [begin, end] = history_.thaw_commands.equal_range(vm.name);
  return std::any_of(begin, end, [&](const auto& command) {
    return command.second < *interval.until && command.second + kCallsAreLate > interval.from;
  });
}

void Restraint::only_its_backups_thaw_it(const cluster::VmOptions& vm) {
  if (misled(vm)) return;
  for (const FrozenInterval& one : truth_.intervals(key(vm))) {
    if (!one.until || !is_ours(one.thawed_by) || is_ours(one.frozen_by) || is_harvester(one.frozen_by)) continue;
    // Known limits: a backup of Harvester's begins with a thaw, whoever froze the guest; and a session that was there
    // before may have waited for a call that could come late.
    if (was_frozen_for_a_backup(key(vm), *one.until) || had_session(vm, one.from, one.from)) continue;
    if (was_rescued(vm, one) || was_thawed_by_command(vm, one)) continue;
    fail(8, key(vm) + ", frozen by " + one.frozen_by + when(one.from) + ", was thawed by " + one.thawed_by);
  }
}

bool Restraint::was_cut(const cluster::VmOptions& vm, const FrozenInterval& interval) const {
  const auto& cuts = truth_.cuts();
  return std::any_of(cuts.begin(), cuts.end(), [&](const cluster::Cut& cut) {
    return cut.ns == vm.ns && is_disk_of(cut.pvc, vm) && cut.at >= interval.from && cut.at <= *interval.until;
  });
}

// What it calls cut counts as captured, until the verdict.
bool Restraint::longhorn_lies_of(const cluster::VmOptions& vm) const {
  const auto& disks = history_.plan().disks;
  return std::any_of(disks.begin(), disks.end(),
                     [&](const auto& item) { return item.second.live.lies && is_disk_of(item.first, vm); });
}

// Its session had already been ended by a sweeper, and rested.
bool Restraint::came_after_its_thaw(const cluster::VmOptions& vm, const FrozenInterval& interval) const {
  const auto& sessions = history_.installation.record().leases();
  const auto session = std::find_if(sessions.begin(), sessions.end(), [&](const LeaseSpan& span) {
    return span.lease == lease_of(vm) && span.from <= interval.from && span.until >= interval.from;
  });
  const auto& all = truth_.timeline();
  return session != sessions.end() && std::any_of(all.begin(), all.end(), [&](const cluster::TimelineEntry& entry) {
           return entry.kind == "call" && entry.object == key(vm) && entry.detail.starts_with("unfreeze") &&
                  caller_of(entry).starts_with("sweeper-") && entry.at >= session->from && entry.at < interval.from;
         });
}

void Restraint::cools_down(const cluster::VmOptions& vm) {
  if (misled(vm) || longhorn_lies_of(vm) || history_.thawed_by_hand.contains(vm.name)) return;
  const FrozenInterval* last = nullptr;
  for (const FrozenInterval& one : truth_.intervals(key(vm))) {
    // One that comes late was begun before.
    const bool late = one.frozen_by.ends_with("(late)") || came_after_its_thaw(vm, one);
    if (!is_webhook(one.frozen_by) || !one.whole || late) continue;
    // A guest that something else has thawed, unseen, seemed to be frozen when it was cut.
    // Its timer may seem to run yet if the API server's clock went back.
    const bool by_timer = last != nullptr && last->thawed_by == "timer" && !history_.clock_stepped;
    const bool unseen = last != nullptr && !is_ours(last->thawed_by) && !by_timer;
    const bool too_soon = last != nullptr && !unseen && last->until && one.from < *last->until + kCoolDown;
    if (too_soon && !was_cut(vm, *last)) {
      fail(5, key(vm) + " was frozen" + when(one.from) + ", although nothing was cut while it was frozen" +
                  when(last->from));
    }
    last = &one;
  }
}

// Nobody but a tenant who may not freeze it has taken snapshots of it.
void Restraint::is_left_alone(const cluster::VmOptions& vm) {
  const Plan& plan = history_.plan();
  const bool backed_up =
      std::any_of(plan.backups.begin(), plan.backups.end(), [&](const Backup& one) { return one.vm == vm.name; });
  if (!plan.not_for_tenants.contains(vm.name) || backed_up || !history_.edited_backups.empty()) return;
  for (const FrozenInterval& one : truth_.intervals(key(vm))) {
    if (is_ours(one.frozen_by) && one.from < history_.calm()) {
      fail(5, key(vm) + " was frozen" + when(one.from) + " for someone who may not freeze it");
    }
  }
}

// A snapshot of one of its disks, about then: a slow freeze may end after its admission. One that is gone cannot be
// asked.
bool Restraint::was_admitted(const cluster::VmOptions& vm, Mono from) const {
  const auto& all = truth_.timeline();
  return std::any_of(all.begin(), all.end(), [&](const cluster::TimelineEntry& entry) {
    if (entry.kind != "admission" || entry.at < from - kAdmission || entry.at > from + kAdmission) return false;
    const auto snapshot = history_.cluster.get("snapshot.storage.k8s.io/volumesnapshots", vm.ns,
                                               entry.object.substr(entry.object.find('/') + 1));
    return snapshot.is_null() ||
           is_disk_of(snapshot["spec"]["source"].value("persistentVolumeClaimName", std::string()), vm);
  });
}

void Restraint::is_frozen_for_its_own_disks(const cluster::VmOptions& vm) {
  if (history_.plan().hinders_us || history_.hindered.contains(vm.name)) return;
  for (const FrozenInterval& one : truth_.intervals(key(vm))) {
    if (!is_webhook(one.frozen_by) || one.frozen_by.ends_with("(late)") || was_admitted(vm, one.from)) continue;
    fail(5, key(vm) + " was frozen" + when(one.from) + " for a disk that is not its own");
  }
}

// A backup of Harvester's has begun with a freeze of its own, and ours thaws that first, whoever holds the guest.
void Restraint::is_not_frozen_while_another_holds_it(const cluster::VmOptions& vm) {
  if (misled(vm) || history_.plan().hinders_us) return;
  for (const cluster::TimelineEntry& entry : truth_.timeline()) {
    if (is_of_harvester(entry, vm)) return;
    if (entry.kind != "call" || entry.object != key(vm) || !entry.detail.starts_with("freeze ")) continue;
    if (!is_webhook(caller_of(entry))) continue;
    for (const FrozenInterval& one : truth_.intervals(key(vm))) {
      const bool held = one.from <= entry.at - kSeenLate && one.until.value_or(entry.at) >= entry.at;
      if (held && !is_ours(one.frozen_by))
        fail(8, key(vm) + ", frozen by " + one.frozen_by + when(one.from) + ", was frozen by us" + when(entry.at));
    }
  }
}

void Restraint::is_well_again(const cluster::VmOptions& vm) {
  for (const FrozenInterval& one : truth_.intervals(key(vm))) {
    if (!is_ours(one.frozen_by)) continue;
    const Mono since = std::max(one.from, history_.calm());
    const Mono until = one.until.value_or(history_.runtime.now());
    if (until > since + kWellAgain) {
      fail(9, key(vm) + " was frozen for more than " + std::to_string(kWellAgain.count()) +
                  " s after the last fault, by " + one.frozen_by + when(one.from));
    }
  }
}

// It freezes the guest, or makes a snapshot of it, or fails at a backup of it.
bool Restraint::is_of_harvester(const cluster::TimelineEntry& entry, const cluster::VmOptions& vm) const {
  if (entry.kind == "call") {
    return entry.object == key(vm) && entry.detail.starts_with("freeze ") && is_harvester(caller_of(entry));
  }
  if (entry.kind == "create") return entry.object.find("-volume-" + vm.name + "-") != std::string::npos;
  const auto& backups = history_.plan().backups;
  return entry.kind == "backup" && entry.detail != "ready" &&
         std::any_of(backups.begin(), backups.end(), [&](const Backup& backup) {
           return backup.vm == vm.name && entry.object == std::string(kNamespace) + "/" + backup.name;
         });
}

// Whether what Harvester did to the guest, and when, may be why it was frozen: what it did before we thawed the guest
// is over, unless a freeze of it may have failed. If the guest had a session just before, it may never have been seen
// thawed; if it was restarted since, it is another one, of which no thaw is known. Then nobody can tell.
bool Restraint::harvester_may_have_frozen(const cluster::VmOptions& vm, const FrozenInterval& freeze) const {
  if (had_session(vm, freeze.from - kSeenLate, freeze.from)) return true;
  Mono thawed = Mono::min();
  for (const FrozenInterval& one : truth_.intervals(key(vm))) {
    if (one.until && *one.until <= freeze.from && is_ours(one.thawed_by)) thawed = *one.until;
  }
  std::optional<Mono> last;
  for (const cluster::TimelineEntry& entry : truth_.timeline()) {
    if (entry.at > freeze.from + kSeenLate + kWrittenLate) break;
    const bool restarted = entry.kind == "power" && entry.object == key(vm) && entry.at < freeze.from;
    if (restarted) thawed = Mono::min();
    if (!is_of_harvester(entry, vm)) continue;
    const bool late = last && entry.at > *last + kAttempt;
    last = entry.at;
    const bool failed = late || entry.kind == "backup";
    if (failed && entry.at > freeze.from - kFailuresLast) return true;
    if (entry.at > freeze.from - kSilence && entry.at + kAtOnce > thawed) return true;
  }
  return false;
}

// Of a guest that nobody saw freeze, it cannot be told who froze it. One that stays frozen was left behind.
void Restraint::is_rescued_only_from_harvester(const cluster::VmOptions& vm) {
  if (misled(vm) || history_.plan().hinders_us) return;
  for (const Rescue& rescue : history_.installation.record().rescues()) {
    if (rescue.lease != lease_of(vm)) continue;
    for (const FrozenInterval& one : truth_.intervals(key(vm))) {
      // It is still seen to be frozen for some time after its thaw.
      if (one.from > rescue.at || one.until.value_or(rescue.at) < rescue.at - kSeenLate) continue;
      if (is_ours(one.frozen_by) || is_harvester(one.frozen_by)) continue;
      if (rescue.at >= one.from + kLeftBehind) continue;
      const bool kubevirts = one.frozen_by == "vm-snapshot";
      if (!kubevirts && harvester_may_have_frozen(vm, one)) continue;
      fail(8, key(vm) + ", frozen by " + one.frozen_by + when(one.from) + ", was rescued" + when(rescue.at));
    }
  }
}

}  // namespace

std::vector<std::string> broken_restraint(History& history) {
  return Restraint(history).broken();
}

}  // namespace sim
