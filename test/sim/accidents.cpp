#include "test/sim/accidents.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "freeze/names.h"
#include "test/sim/edits.h"
#include "test/sim/history.h"

namespace sim {
namespace {

using Body = cluster::Json;

std::string text(Millis time) {
  return std::to_string(time.count()) + " ms";
}

std::string draw_process(Dice& dice) {
  return dice.of<std::string>({"sweeper-0", "sweeper-0", "sweeper-1", "webhook-0", "webhook-1"});
}

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
           [=](History& history) {
             history.installation.when_killed(fault.caller, back);
             if (fault.kind == FaultKind::kStopAfter) history.stopped.insert(fault.caller);
             history.cluster.add_fault(fault);
           });
}

// KubeVirt's timer has run off, and its thaw is on the way for a moment. A webhook that is slow then meets it.
void draw_slow_timer(Dice& dice, Plan& plan) {
  cluster::GuestFault fault;
  fault.operation = "unfreeze";
  fault.kind = cluster::GuestFaultKind::kLate;
  fault.count = dice.number(1, 3);
  fault.delay = dice.millis(50, 900);
  fault.caller = "timer";
  const std::string vm = dice.of(plan.vms).name;
  const std::string process = dice.of<std::string>({"webhook-0", "webhook-1"});
  const int step = dice.number(1, 25);
  const Millis lasts = dice.millis(600, 1500);
  plan.hinders_us = true;
  plan.add(dice.of(plan.begins),
           vm + ": its timers are late by " + text(fault.delay) + ", and " + process + " is stopped at step " +
               std::to_string(step) + " for " + text(lasts),
           [=](History& history) {
             history.stopped.insert(process);
             history.cluster.guests().add_fault(kNamespace, vm, fault);
             history.installation.process(process).gate.close_at(Gate::Where::kAtStep, step, lasts);
           });
}

void draw_fault_of_a_guest(Dice& dice, Plan& plan) {
  if (dice.one_in(4)) return draw_slow_timer(dice, plan);
  using cluster::GuestFaultKind;
  cluster::GuestFault fault;
  fault.operation = dice.of<std::string>({"freeze", "unfreeze"});
  fault.kind = dice.of({GuestFaultKind::kFail, GuestFaultKind::kLate});
  if (fault.operation == "freeze" && dice.one_in(3)) fault.kind = GuestFaultKind::kHalfway;
  fault.nth = dice.number(1, 3);
  fault.count = dice.number(1, 3);
  if (fault.kind == GuestFaultKind::kLate || dice.one_in(2)) fault.delay = dice.millis(1000, 59000);
  const std::string vm = dice.of(plan.vms).name;
  plan.add(plan.moment(dice),
           vm + ": " + fault.operation + " fails, kind " + std::to_string(static_cast<int>(fault.kind)) + ", by " +
               text(fault.delay),
           [=](History& history) {
             if (fault.operation == "unfreeze") history.hindered.insert(vm);
             history.cluster.guests().add_fault(kNamespace, vm, fault);
           });
}

// It goes on in the belief that it has just been made leader again.
void stop_at_renewal(Dice& dice, Plan& plan, Millis at) {
  cluster::Fault fault;
  fault.kind = cluster::FaultKind::kStopAfter;
  fault.caller = dice.of<std::string>({"sweeper-0", "sweeper-1"});
  fault.verb = "patch";
  fault.path = snapfreeze::freeze::kLeaderLease;
  fault.delay = dice.millis(8000, 40000);
  plan.add(at, fault.caller + " is stopped at its next renewal, for " + text(fault.delay), [=](History& history) {
    history.stopped.insert(fault.caller);
    history.cluster.add_fault(fault);
  });
}

void draw_crash_or_stop(Dice& dice, Plan& plan) {
  const std::string process = draw_process(dice);
  const Millis at = plan.moment(dice);
  plan.hinders_us = true;
  const Millis lasts = dice.one_in(3) ? dice.millis(10000, 120000) : dice.millis(50, 10000);
  const int step = dice.number(1, 60);
  switch (dice.number(0, 4)) {
    case 4:
      return stop_at_renewal(dice, plan, at);
    case 0:
      return plan.add(at, process + " is killed, back after " + text(lasts),
                      [=](History& history) { history.installation.kill(process, lasts); });
    case 1:
      return plan.add(at, process + " is stopped for " + text(lasts), [=](History& history) {
        history.stopped.insert(process);
        history.installation.process(process).gate.close_for(lasts);
      });
    default:
      return plan.add(at, process + " is stopped at step " + std::to_string(step) + " from now for " + text(lasts),
                      [=](History& history) {
                        history.stopped.insert(process);
                        history.installation.process(process).gate.close_at(Gate::Where::kAtStep, step, lasts);
                      });
  }
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
  const Millis at = plan.moment(dice);
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
           "watches of " + holdback.caller + holdback.path +
               (holdback.late_by ? " lag " + text(*holdback.late_by) : " say nothing") + " for " + text(lasts),
           [=](History& history) {
             cluster::Holdback from_now = holdback;
             from_now.from = history.runtime.now();
             from_now.until = from_now.from + lasts;
             history.cluster.locked([&] { history.cluster.faults().hold_back(from_now); });
           });
}

void draw_trouble_with_the_api(Dice& dice, Plan& plan) {
  plan.hinders_us = true;
  const Millis at = plan.moment(dice);
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
      return plan.add(at, "the API server's clock is set by " + text(step), [=](History& history) {
        history.clock_stepped = true;
        history.cluster.locked([&] { history.cluster.store().step_clock(step); });
      });
    default:
      return plan.add(at, "the API server is gone for " + text(lasts),
                      [=](History& history) { history.cluster.api_down_for(lasts); });
  }
}

void on_guest(Plan& plan, Millis at, const std::string& vm, const std::string& what,
              std::function<void(cluster::Guests&, const std::string&)> act) {
  plan.add(at, vm + " " + what, [=](History& history) {
    try {
      history.hindered.insert(vm);
      act(history.cluster.guests(), vm);
    } catch (const std::exception&) {
      // It does not exist by now, or not in such a state.
    }
  });
}

// The sweepers learn of no guest for so long.
void look_away(Plan& plan, Millis at, Millis lasts) {
  plan.hinders_us = true;
  plan.add(at, "watches of guests say nothing for " + text(lasts), [=](History& history) {
    for (const char* path : {"/kubevirt.io/v1/virtualmachineinstances", "/kubevirt.io/v1/virtualmachines"}) {
      cluster::Holdback holdback;
      holdback.path = path;
      holdback.from = history.runtime.now();
      holdback.until = holdback.from + lasts;
      history.cluster.locked([&] { history.cluster.faults().hold_back(holdback); });
    }
  });
}

void draw_fate_of_a_guest(Dice& dice, Plan& plan) {
  using cluster::Guests;
  const std::string vm = dice.of(plan.vms).name;
  const Millis at = plan.moment(dice);
  // Some for longer than it takes until a guest that nobody seems to thaw is rescued.
  const Millis lasts = dice.one_in(6) ? dice.millis(70000, 150000) : dice.millis(300, 12000);
  // No guest is frozen while it moves, so that the last backups could not be taken.
  const Millis moves_for = std::min(lasts, Millis(12000));
  const std::string name = "own-" + std::to_string(at.count());
  const auto then = [&](const char* what, void (Guests::*act)(const std::string&, const std::string&), Millis after) {
    on_guest(plan, at + after, vm, what,
             [act](Guests& guests, const std::string& one) { (guests.*act)(kNamespace, one); });
  };
  // What no watch tells in time, only a fresh look does.
  if (dice.one_in(3)) {
    const Millis away = dice.millis(4000, 20000);
    look_away(plan, std::max(Millis(kFirstEvent), at - dice.millis(0, 3000)), away);
  }
  switch (dice.number(0, 10)) {
    case 0:
      return then("is stopped", &Guests::stop, Millis(0));
    case 1:
      return then("is started", &Guests::start, Millis(0));
    case 2:
      return then("is restarted", &Guests::restart, Millis(0));
    case 3:
      then("is paused", &Guests::pause, Millis(0));
      return then("is resumed", &Guests::resume, lasts);
    case 4:
      return then("powers off from inside", &Guests::shut_down_inside, Millis(0));
    case 5:
      return on_guest(plan, at, vm, "migrates for " + text(moves_for),
                      [=](Guests& guests, const std::string& one) { guests.migrate(kNamespace, one, moves_for); });
    case 6:
      return on_guest(
          plan, at, vm, "gets a snapshot of KubeVirt's own for " + text(lasts),
          [=](Guests& guests, const std::string& one) { guests.vm_snapshot(kNamespace, one, name, lasts); });
    case 7:
      return on_guest(plan, at, vm, "gets a backup of KubeVirt's own for " + text(lasts),
                      [=](Guests& guests, const std::string& one) {
                        Guests::BackupOptions options;
                        options.name = name;
                        options.duration = lasts;
                        guests.kubevirt_backup(kNamespace, one, options);
                      });
    case 8:
      on_guest(plan, at, vm, "loses its agent",
               [](Guests& guests, const std::string& one) { guests.set_agent(kNamespace, one, false); });
      return on_guest(plan, at + lasts, vm, "has its agent again",
                      [](Guests& guests, const std::string& one) { guests.set_agent(kNamespace, one, true); });
    case 9:
      return then("is reset from inside", &Guests::reset, Millis(0));
    default:
      return then("is recreated", &Guests::recreate, Millis(0));
  }
}

void add_call_by_hand(Plan& plan, Millis at, const std::string& vm, const std::string& operation, int seconds = 0) {
  plan.add(at, vm + ": " + operation + " by hand", [=](History& history) {
    if (operation == "unfreeze") history.thawed_by_hand.insert(vm);
    history.begin("by-hand", "PUT",
                  path_of("subresources.kubevirt.io/v1", "virtualmachineinstances", vm) + "/" + operation,
                  operation == "freeze" ? Body{{"unfreezeTimeout", std::to_string(seconds) + "s"}} : Body());
  });
}

void draw_call_by_hand(Dice& dice, Plan& plan) {
  const std::string vm = dice.of(plan.vms).name;
  const std::string operation = dice.of<std::string>({"freeze", "unfreeze"});
  const int seconds = dice.number(1, 40);
  add_call_by_hand(plan, plan.moment(dice), vm, operation, seconds);
}

// So long that a rescue may be thought of, and a while after Harvester froze anybody.
void draw_long_freeze_by_hand(Dice& dice, Plan& plan) {
  const Millis later = dice.one_in(4) ? dice.millis(250000, 300000) : dice.millis(15000, 90000);
  const int seconds = dice.number(65, 200);
  const std::string vm = dice.of(plan.vms).name;
  add_call_by_hand(plan, plan.moment(dice) + later, vm, "freeze", seconds);
}

// Of somebody else, with a disk of a VM's.
void draw_pod(Dice& dice, Plan& plan) {
  const Millis at = plan.moment(dice);
  const std::string name = "reader-" + std::to_string(at.count());
  const std::string claim = dice.of(plan.vms).name + "-disk-0";
  plan.add(at, "a pod mounts " + claim, [=](History& history) {
    const Body container = {
        {"name", "reader"}, {"image", "none"}, {"volumeDevices", {{{"name", "disk"}, {"devicePath", "/dev/disk"}}}}};
    const Body volume = {{"name", "disk"}, {"persistentVolumeClaim", {{"claimName", claim}}}};
    history.begin("admin", "POST", std::string("/api/v1/namespaces/") + kNamespace + "/pods",
                  {{"apiVersion", "v1"},
                   {"kind", "Pod"},
                   {"metadata", {{"name", name}}},
                   {"spec", {{"containers", Body::array({container})}, {"volumes", Body::array({volume})}}}});
  });
  plan.add(at + dice.millis(100, 30000), "that pod goes", [=](History& history) {
    history.begin("admin", "DELETE", std::string("/api/v1/namespaces/") + kNamespace + "/pods/" + name);
  });
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
  const Millis at = plan.moment(dice);
  if (dice.one_in(2)) {
    return plan.add(at, "Harvester's controller restarts",
                    [](History& history) { history.cluster.harvester().restart(); });
  }
  const std::string backup = "b" + std::to_string(dice.number(0, 3));
  const int times = dice.number(1, 5);
  plan.add(at, "Harvester reconciles " + backup + " " + std::to_string(times) + " times",
           [=](History& history) { history.cluster.harvester().reconcile_again(kNamespace, backup, times); });
}

}  // namespace

// A session lasts a few seconds of a minute, so that most accidents would pass by all of them.
Millis Plan::moment(Dice& dice) const {
  if (begins.empty() || dice.one_in(3)) return dice.millis(kFirstEvent, kLastEvent);
  const Millis begin = dice.of(begins);
  const Millis after = dice.one_in(2) ? dice.millis(-500, 2000) : dice.millis(0, 15000);
  return std::max(Millis(kFirstEvent), begin + after);
}

void draw_accidents(Dice& dice, Plan& plan) {
  for (const Event& event : plan.events) plan.begins.push_back(event.at);
  // Many at once hide each other: some histories have none, most have a few.
  const int accidents = dice.of({0, 1, 1, 2, 2, 3, 4, 6, 9});
  plan.accidents += accidents;
  for (int i = 0; i < accidents; ++i) {
    switch (dice.number(0, 12)) {
      case 0:
        draw_fault_of_the_api(dice, plan);
        break;
      case 1:
        draw_fault_of_a_guest(dice, plan);
        break;
      case 2:
      case 3:
        draw_crash_or_stop(dice, plan);
        break;
      case 4:
        draw_trouble_with_watches(dice, plan);
        break;
      case 5:
        draw_trouble_with_the_api(dice, plan);
        break;
      case 6:
        draw_fate_of_a_guest(dice, plan);
        break;
      case 7:
        draw_call_by_hand(dice, plan);
        break;
      case 8:
        draw_harvesters_deed(dice, plan);
        break;
      case 9:
        draw_pod(dice, plan);
        break;
      case 10:
        draw_longhorns_mood(dice, plan);
        break;
      default:
        draw_edit(dice, plan);
    }
  }
  // Only where nothing misleads us can it be told whose freeze was thawed.
  if (plan.hinders_us || !dice.one_in(3)) return;
  draw_long_freeze_by_hand(dice, plan);
  ++plan.accidents;
}

}  // namespace sim
