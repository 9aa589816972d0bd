#include "test/sim/thaws.h"

#include <algorithm>
#include <optional>

#include "test/sim/callers.h"
#include "test/sim/findings.h"

namespace sim {
namespace {

using namespace std::chrono_literals;
using cluster::FrozenInterval;
using cluster::Mono;

// KubeVirt's timer counts whole seconds, and the guest takes its time to thaw.
constexpr auto kGranularity = 1s;
// An admission takes 15 s at most, and what Harvester has left frozen is found as a stray after 60 s.
constexpr auto kUndone = 40s;
// The driver says so within 1 s, is given 8 s to say something else, and others may have joined.
constexpr auto kNothingToCome = 20s;
// What Harvester left frozen is reported within 5 s, and rescued after the longest T by whoever is elected.
constexpr auto kRescued = 200s;
// Between a session that was taken away and the next one.
constexpr auto kWithoutSession = 5s;
constexpr auto kVssLimit = 10s;

class Thaws : Findings {
 public:
  using Findings::Findings;

  std::vector<std::string> broken() {
    for (const auto& vm : history_.plan().vms) {
      is_thawed(vm);
      has_a_session(vm);
      if (history_.plan().hinders_us || !is_handy(vm)) continue;
      is_thawed_by_us(vm);
      is_thawed_of_what_harvester_left(vm);
      is_not_held_for_a_driver_that_says_no(vm);
    }
    return std::move(broken_);
  }

 private:
  void fail(const std::string& what) { Findings::fail(2, what); }
  void is_thawed(const cluster::VmOptions& vm);
  void thawed_by_its_timer(const std::string& vm, const FrozenInterval& interval);
  [[nodiscard]] std::optional<std::chrono::seconds> timer_of(const std::string& vm,
                                                             const FrozenInterval& interval) const;
  void has_a_session(const cluster::VmOptions& vm);
  [[nodiscard]] bool is_handy(const cluster::VmOptions& vm) const;
  void is_thawed_by_us(const cluster::VmOptions& vm);
  [[nodiscard]] std::optional<Mono> admitted_since(const cluster::VmOptions& vm, Mono since) const;
  bool slipped_into_a_session(const cluster::VmOptions& vm, const FrozenInterval& one) const;
  void is_thawed_of_what_harvester_left(const cluster::VmOptions& vm);
  void is_not_held_for_a_driver_that_says_no(const cluster::VmOptions& vm);
};

// What KubeVirt was told by the last freeze that it may have been.
std::optional<std::chrono::seconds> Thaws::timer_of(const std::string& vm, const FrozenInterval& interval) const {
  const std::string caller = interval.frozen_by.substr(0, interval.frozen_by.find(' '));
  std::optional<std::chrono::seconds> longest;
  for (const auto& entry : truth_.timeline()) {
    if (entry.kind != "call" || entry.object != vm || entry.at > interval.from) continue;
    if (!entry.detail.starts_with("freeze ") || !entry.detail.ends_with(" by " + caller)) continue;
    const auto number = entry.detail.find(":\"");
    const std::chrono::seconds timer(std::stoi(entry.detail.substr(number + 2)));
    const bool late = interval.frozen_by.ends_with("(late)");
    longest = late ? std::max(longest.value_or(timer), timer) : timer;
  }
  return longest;
}

void Thaws::thawed_by_its_timer(const std::string& vm, const FrozenInterval& interval) {
  if (!interval.whole || history_.hindered.contains(vm.substr(vm.find('/') + 1))) return;
  const auto timer = timer_of(vm, interval);
  if (!timer) return fail(vm + " was frozen by nobody's call" + when(interval.from));
  const auto& vms = history_.plan().vms;
  const auto options =
      std::find_if(vms.begin(), vms.end(), [&](const auto& one) { return vm == one.ns + "/" + one.name; });
  const auto length = interval.until.value_or(history_.runtime.now()) - interval.from;
  if (length <= *timer + 2 * options->thaw_latency + options->freeze_latency + kGranularity) return;
  fail(vm + " was frozen for " + std::to_string(std::chrono::duration_cast<Millis>(length).count()) +
       " ms by a freeze of " + std::to_string(timer->count()) + " s" + when(interval.from));
}

void Thaws::is_thawed(const cluster::VmOptions& vm) {
  for (const FrozenInterval& interval : truth_.intervals(key(vm))) {
    if (is_ours(interval.frozen_by)) thawed_by_its_timer(key(vm), interval);
    // Half-way, and so without a timer. Whoever froze it must see to that.
    if (!is_ours(interval.frozen_by) && !is_harvester(interval.frozen_by)) continue;
    // Of Harvester's own freeze only its backup tells; and a guest whose owner opted out is left to it.
    const bool left_alone = vm.annotations.contains("snapfreeze.harvesterhci.io/skip") ||
                            history_.undoable.contains(vm.name) || history_.restored;
    const bool unknowable = !is_ours(interval.frozen_by) && left_alone;
    const Mono since = std::max(interval.from, history_.calm());
    const Mono until = interval.until.value_or(history_.runtime.now());
    if (until > since + kRescued && !unknowable && !interval.frozen_by.ends_with("(late)")) {
      fail(key(vm) + " was frozen for more than " + std::to_string(kRescued.count()) + " s after the last fault, by " +
           interval.frozen_by + when(interval.from));
    }
    if (!interval.until && !unknowable) {
      fail(key(vm) + " is frozen at the end, by " + interval.frozen_by + when(interval.from));
    }
  }
}

// While our freeze may hold, or may still come, some sweeper knows of it.
void Thaws::has_a_session(const cluster::VmOptions& vm) {
  const std::string lease = lease_of(vm);
  const bool only_deleted = history_.records_deleted.contains(lease) && history_.plan().accidents == 1;
  if (history_.restored || (history_.records_touched.contains(lease) && !only_deleted)) return;
  for (const FrozenInterval& one : truth_.intervals(key(vm))) {
    if (!is_webhook(one.frozen_by)) continue;
    const Mono end = one.until.value_or(history_.runtime.now());
    Mono without = one.from;
    // A thaw that is under way needs none.
    const auto note_gap = [&](Mono until) {
      if (until - without > kWithoutSession + vm.thaw_latency)
        fail(key(vm) + " is frozen without a session from" + when(without));
    };
    for (const LeaseSpan& span : history_.installation.record().leases()) {
      if (span.lease != lease || span.until <= without || span.from >= end) continue;
      note_gap(span.from);
      without = span.until;
    }
    note_gap(end);
  }
}

// It does at once as it is told, and nobody has told it anything behind our back.
bool Thaws::is_handy(const cluster::VmOptions& vm) const {
  return !history_.hindered.contains(vm.name) && !history_.thawed_by_hand.contains(vm.name) &&
         vm.freeze_latency <= 2s && vm.thaw_latency <= 300ms;
}

// Before its own timer does, which is only there in case that we die.
void Thaws::is_thawed_by_us(const cluster::VmOptions& vm) {
  for (const FrozenInterval& one : truth_.intervals(key(vm))) {
    if (!is_webhook(one.frozen_by) || one.frozen_by.ends_with("(late)") || !one.until) continue;
    if (one.thawed_by == "timer" || (one.thawed_by == "vss" && vm.vss_limit >= kVssLimit)) {
      fail(key(vm) + " was thawed only by its " + one.thawed_by + when(*one.until));
    }
  }
}

// The end of the first admission since then that concerns a backup of the guest by Harvester.
std::optional<Mono> Thaws::admitted_since(const cluster::VmOptions& vm, Mono since) const {
  for (const auto& entry : truth_.timeline()) {
    if (entry.kind != "admission" || entry.at < since || !entry.detail.starts_with("patched")) continue;
    const std::string snapshot = entry.object.substr(entry.object.find('/') + 1);
    const auto& backups = history_.plan().backups;
    const bool about_it = std::any_of(backups.begin(), backups.end(), [&](const Backup& backup) {
      return backup.vm == vm.name && backup.deadline == "0s" && snapshot.starts_with(backup.name + "-");
    });
    if (about_it) return entry.at;
  }
  return std::nullopt;
}

// Between our thaw and our freeze. It then ends with the session, which may last as long as any other.
bool Thaws::slipped_into_a_session(const cluster::VmOptions& vm, const FrozenInterval& one) const {
  const auto& spans = history_.installation.record().leases();
  return one.until && std::any_of(spans.begin(), spans.end(), [&](const LeaseSpan& span) {
           return span.lease == lease_of(vm) && span.from <= one.from && span.until >= *one.until;
         });
}

// A freeze without a timer ends soon after the admission for which it was made, and not only when it is found as a
// stray.
void Thaws::is_thawed_of_what_harvester_left(const cluster::VmOptions& vm) {
  if (vm.annotations.contains("snapfreeze.harvesterhci.io/skip")) return;
  // Whose the snapshots of a backup that is gone were, nobody can tell the admission.
  if (history_.undoable.contains(vm.name)) return;
  for (const FrozenInterval& one : truth_.intervals(key(vm))) {
    if (!is_harvester(one.frozen_by) || one.frozen_by.ends_with("(late)")) continue;
    if (slipped_into_a_session(vm, one)) continue;
    const auto admitted = admitted_since(vm, one.from);
    if (!admitted || one.until.value_or(history_.runtime.now()) <= *admitted + kUndone) continue;
    fail(key(vm) + ", which Harvester froze" + when(one.from) + ", was not thawed after the admission" +
         when(*admitted));
  }
}

// No disk of it is cut any more.
void Thaws::is_not_held_for_a_driver_that_says_no(const cluster::VmOptions& vm) {
  if (history_.plan().installation.sweeper.what.thaw_on == snapfreeze::sweeper::ThawOn::kReady) return;
  bool fails = false;
  for (const auto& [claim, disk] : history_.plan().disks) {
    if (!is_disk_of(claim, vm)) continue;
    const bool soon = disk.cut <= 900ms && disk.reported && !disk.live.lies && disk.interim_errors == 0;
    if (disk.never || !soon || disk.style == cluster::StorageStyle::kOldLonghorn) return;
    fails = fails || disk.fails;
  }
  const auto& plan = history_.plan();
  const auto same_vm = [&](const Backup& one) { return one.vm == vm.name; };
  if (std::count_if(plan.backups.begin(), plan.backups.end(), same_vm) != 1) return;
  if (!fails || plan.labelled.contains(vm.name) || plan.harvester.disks_first >= 0) return;
  for (const FrozenInterval& one : truth_.intervals(key(vm))) {
    if (!is_webhook(one.frozen_by) || one.from >= history_.calm() || !one.until) continue;
    if (*one.until - one.from > kNothingToCome) {
      fail(key(vm) + " was frozen" + when(one.from) + " until" + when(*one.until) + " for a disk that fails");
    }
  }
}

}  // namespace

std::vector<std::string> broken_thaws(History& history) {
  return Thaws(history).broken();
}

}  // namespace sim
