#include "test/sim/accidents.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "test/sim/admin_deeds.h"
#include "test/sim/backups.h"
#include "test/sim/edits.h"
#include "test/sim/guest_accidents.h"
#include "test/sim/history.h"
#include "test/sim/process_accidents.h"

namespace sim {
namespace {

void draw_fault_of_the_api(Dice& dice, Plan& plan) {
  using cluster::FaultKind;
  cluster::Fault fault;
  fault.kind = dice.of({FaultKind::kDropBefore, FaultKind::kDropAfter, FaultKind::kDelayBefore, FaultKind::kDelayAfter,
                        FaultKind::kStatus, FaultKind::kHang, FaultKind::kCutWatch, FaultKind::kSilentWatch,
                        FaultKind::kExpireWatch, FaultKind::kKillBefore, FaultKind::kKillAfter, FaultKind::kStopAfter});
  fault.caller = draw_process(dice);
  if (dice.one_in(3)) fault.verb = dice.of<std::string>({"create", "patch", "delete", "get", "list"});
  if (dice.one_in(4))
    fault.path = dice.of<std::string>({"/leases", "/volumesnapshots", "/virtualmachinebackups", "/pods"});
  fault.nth = dice.number(1, 25);
  if (dice.one_in(3)) {
    // Few of the calls go to a guest, and most is at stake there.
    fault.verb = dice.of<std::string>({"freeze", "unfreeze"});
    fault.path.clear();
    fault.nth = dice.number(1, 3);
  }
  fault.count = dice.number(1, 3);
  fault.delay = dice.millis(100, 12000);
  fault.status = dice.of({409, 429, 500, 503});
  const Millis back = dice.millis(500, 20000);
  plan.hinders_us = true;
  plan.add(plan.moment(dice),
           "fault " + std::to_string(static_cast<int>(fault.kind)) + " at call " + std::to_string(fault.nth) + " of " +
               fault.caller + ", " + std::to_string(fault.count) + " times",
           [=](History& history) { history.begin_fault(fault, back); });
}

// Whoever begins a session has thawed the guest, and is held up before its freeze: another backup comes first.
void draw_intruder(Dice& dice, Plan& plan) {
  const Begin begin = dice.of(plan.begins);
  const Millis at = std::max(Millis(kFirstEvent), begin.at - dice.millis(0, 500));
  const Millis longest = dice.millis(50, 3000);
  const bool fails = dice.one_in(3);
  plan.hinders_us = true;
  plan.add(at, "whoever freezes next is stopped before, for " + text(longest) + " at most", [=](History& history) {
    for (const char* process : {"webhook-0", "webhook-1"}) history.stop_before(process, "/freeze", longest);
  });
  const When when = {at, Aim{Moment::kThaw, begin.vm}, dice.millis(0, 200)};
  if (fails) {
    plan.add(when, "Harvester's next freeze of " + begin.vm + " fails half-way", [=](History& history) {
      cluster::GuestFault fault;
      fault.operation = "freeze";
      fault.kind = cluster::GuestFaultKind::kHalfway;
      fault.caller = cluster::kHarvesterUser;
      history.cluster.guests().add_fault(kNamespace, begin.vm, fault);
    });
  }
  draw_one_more_of(dice, plan, begin.vm, when);
  if (dice.one_in(2)) return;
  plan.add({at, Aim{Moment::kFreeze, begin.vm, 2}, dice.millis(0, 300)},
           "whoever was stopped before its freeze goes on", [=](History& history) {
             for (const char* process : {"webhook-0", "webhook-1"}) history.installation.process(process).gate.go_on();
           });
}

// Its freeze may slip in between our thaw and our freeze; KubeVirt then keeps its timer.
void draw_another_backup(Dice& dice, Plan& plan) {
  if (dice.one_in(3)) return draw_intruder(dice, plan);
  When when = plan.moment(dice);
  if (dice.one_in(3)) when = {when.at, Aim{Moment::kThaw, plan.any_vm(dice)}, dice.millis(0, 3)};
  draw_one_more(dice, plan, when);
}

void draw_trouble_with_watches(Dice& dice, Plan& plan) {
  plan.hinders_us = true;
  cluster::Holdback holdback;
  holdback.caller = dice.of<std::string>({"", "sweeper-0", "sweeper-1"});
  holdback.path =
      dice.of<std::string>({"", "/coordination.k8s.io/v1/leases", "/snapshot.storage.k8s.io/v1/volumesnapshots",
                            "/snapshot.storage.k8s.io/v1/volumesnapshotcontents",
                            "/harvesterhci.io/v1beta1/virtualmachinebackups", "/kubevirt.io/v1/virtualmachineinstances",
                            "/kubevirt.io/v1/virtualmachines", "/longhorn.io/v1beta2/snapshots", "/v1/pods"});
  if (!dice.one_in(3)) holdback.late_by = dice.millis(20, 8000);
  holdback.only_open = dice.one_in(3);
  const When at = plan.moment(dice);
  const Millis lasts = dice.millis(1000, 60000);
  if (dice.one_in(5)) {
    return plan.add(at, "all watches expire", [](History& history) {
      history.cluster.locked([&] {
        history.cluster.store().compact();
        history.cluster.store().expire_watches();
      });
    });
  }
  plan.add(at,
           (holdback.only_open ? "open watches of " : "watches of ") + holdback.caller + holdback.path +
               (holdback.late_by ? " lag " + text(*holdback.late_by) : " say nothing") + " for " + text(lasts),
           [=](History& history) { history.hold_back(holdback, lasts); });
}

void draw_trouble_with_the_api(Dice& dice, Plan& plan) {
  plan.hinders_us = true;
  const When at = plan.moment(dice);
  const Millis lasts = dice.millis(100, 12000);
  const Millis step = dice.millis(-40000, 40000);
  switch (dice.number(0, 3)) {
    case 0:
      return plan.add(at, "etcd is restored to " + text(lasts) + " ago", [=](History& history) {
        history.restored = true;
        try {
          history.cluster.restore_etcd(lasts);
        } catch (const std::out_of_range&) {
          // Its history does not reach back so far.
        }
      });
    case 1:
      return plan.step_clock(at, step);
    default:
      return plan.add(at, "the API server is gone for " + text(lasts),
                      [=](History& history) { history.cluster.api_down_for(lasts); });
  }
}

void draw_longhorns_mood(Dice& dice, Plan& plan) {
  using cluster::BackendMood;
  const BackendMood mood =
      dice.of({BackendMood::kGone, BackendMood::kHangs, BackendMood::kDribbles, BackendMood::kRefuses,
               BackendMood::kErrors, BackendMood::kGarbage, BackendMood::kHuge, BackendMood::kCutShort});
  const Millis lasts = dice.millis(500, 40000);
  plan.add(plan.moment(dice),
           "Longhorn's own API is in mood " + std::to_string(static_cast<int>(mood)) + " for " + text(lasts),
           [=](History& history) {
             history.cluster.locked([&] { history.cluster.longhorn().set_mood(mood, history.runtime.now() + lasts); });
           });
}

void draw_harvesters_deed(Dice& dice, Plan& plan) {
  const When at = plan.moment(dice);
  if (dice.one_in(2)) {
    return plan.add(at, "Harvester's controller restarts",
                    [](History& history) { history.cluster.harvester().restart(); });
  }
  const std::string backup = "b" + std::to_string(dice.number(0, 3));
  const int times = dice.number(1, 5);
  plan.add(at, "Harvester reconciles " + backup + " " + std::to_string(times) + " times",
           [=](History& history) { history.cluster.harvester().reconcile_again(kNamespace, backup, times); });
}

using Draw = void (*)(Dice& dice, Plan& plan);

// One is drawn as often as it stands here.
constexpr Draw kAccidents[] = {draw_fault_of_the_api,
                               draw_fault_of_a_guest,
                               draw_fault_of_a_guest,
                               draw_crash_or_stop,
                               draw_crash_or_stop,
                               draw_trouble_with_watches,
                               draw_trouble_with_the_api,
                               draw_fate_of_a_guest,
                               draw_fate_of_a_guest,
                               draw_call_by_hand,
                               draw_harvesters_deed,
                               draw_pod,
                               draw_longhorns_mood,
                               draw_edit,
                               draw_edit,
                               draw_thaw_command,
                               draw_drain,
                               draw_strange_lease,
                               draw_late_call,
                               draw_late_call,
                               draw_another_backup,
                               draw_another_backup};

std::vector<Draw> draw_kinds(Dice& dice) {
  if (dice.one_in(2)) return {std::begin(kAccidents), std::end(kAccidents)};
  std::vector<Draw> few;
  for (int left = dice.number(1, 3); left > 0; --left) {
    few.push_back(kAccidents[dice.number(0, static_cast<int>(std::size(kAccidents)) - 1)]);
  }
  return few;
}

// Much that is thrown at one backup finds what the same accidents, strewn over all guests and a minute, do not. The
// longer a cut takes, the more falls into the time for which the guest is frozen.
void draw_victim(Dice& dice, Plan& plan) {
  plan.victim = dice.of(plan.begins).vm;
  if (dice.one_in(2)) return;
  for (auto& [claim, disk] : plan.disks) {
    if (claim.starts_with(plan.victim + "-disk-") && !dice.one_in(3)) disk.cut = dice.millis(300, 8000);
  }
}

}  // namespace

void draw_accidents(Dice& dice, Plan& plan) {
  // Many at once hide each other: some histories have none, most have a few.
  const int accidents = dice.of({0, 1, 1, 2, 2, 3, 4, 6, 9});
  plan.accidents += accidents;
  const std::vector<Draw> kinds = draw_kinds(dice);
  if (accidents > 0 && !dice.one_in(3)) draw_victim(dice, plan);
  // What follows from it is judged only if nothing else happens.
  if (accidents == 1 && dice.one_in(6)) return draw_deletion_of_a_lease(dice, plan);
  for (int i = 0; i < accidents; ++i) dice.of(kinds)(dice, plan);
  // Only where nothing misleads us can it be told whose freeze was thawed, and who must have noticed it.
  if (plan.hinders_us || !dice.one_in(3)) return;
  dice.of({draw_long_freeze_by_another, draw_unnoticed_thaw})(dice, plan);
  ++plan.accidents;
}

}  // namespace sim
