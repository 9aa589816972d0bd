#include "test/sim/accidents.h"

#include <stdexcept>
#include <utility>

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
  fault.count = dice.number(1, 3);
  fault.delay = dice.millis(100, 12000);
  fault.status = dice.of({409, 429, 500, 503});
  const Millis back = dice.millis(500, 20000);
  plan.add(dice.millis(kFirstEvent, 40000),
           "fault " + std::to_string(static_cast<int>(fault.kind)) + " at call " + std::to_string(fault.nth) + " of " +
               fault.caller + ", " + std::to_string(fault.count) + " times",
           [=](History& history) {
             history.installation.when_killed(fault.caller, back);
             if (fault.kind == FaultKind::kStopAfter) history.stopped.insert(fault.caller);
             history.cluster.add_fault(fault);
           });
}

void draw_fault_of_a_guest(Dice& dice, Plan& plan) {
  using cluster::GuestFaultKind;
  cluster::GuestFault fault;
  fault.operation = dice.of<std::string>({"freeze", "unfreeze"});
  fault.kind = dice.of({GuestFaultKind::kFail, GuestFaultKind::kLate});
  if (fault.operation == "freeze" && dice.one_in(3)) fault.kind = GuestFaultKind::kHalfway;
  fault.nth = dice.number(1, 3);
  fault.count = dice.number(1, 3);
  fault.delay = dice.millis(1000, 59000);
  const std::string vm = dice.of(plan.vms).name;
  plan.add(dice.millis(kFirstEvent, 40000),
           vm + ": " + fault.operation + " fails, kind " + std::to_string(static_cast<int>(fault.kind)) + ", by " +
               text(fault.delay),
           [=](History& history) {
             if (fault.operation == "unfreeze") history.hindered.insert(vm);
             history.cluster.guests().add_fault(kNamespace, vm, fault);
           });
}

void draw_crash_or_stop(Dice& dice, Plan& plan) {
  const std::string process = draw_process(dice);
  const Millis at = dice.millis(kFirstEvent, kLastEvent);
  const Millis lasts = dice.one_in(3) ? dice.millis(10000, 120000) : dice.millis(50, 10000);
  const int step = dice.number(1, 60);
  switch (dice.number(0, 3)) {
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
  cluster::Holdback holdback;
  holdback.caller = dice.of<std::string>({"", "sweeper-0", "sweeper-1"});
  holdback.path =
      dice.of<std::string>({"", "/coordination.k8s.io/v1/leases", "/snapshot.storage.k8s.io/v1/volumesnapshots",
                            "/snapshot.storage.k8s.io/v1/volumesnapshotcontents",
                            "/harvesterhci.io/v1beta1/virtualmachinebackups", "/kubevirt.io/v1/virtualmachineinstances",
                            "/kubevirt.io/v1/virtualmachines", "/longhorn.io/v1beta2/snapshots", "/v1/pods"});
  if (!dice.one_in(3)) holdback.late_by = dice.millis(20, 8000);
  const Millis at = dice.millis(kFirstEvent, 40000);
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
  const Millis at = dice.millis(kFirstEvent, kLastEvent);
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

void draw_fate_of_a_guest(Dice& dice, Plan& plan) {
  using cluster::Guests;
  const std::string vm = dice.of(plan.vms).name;
  const Millis at = dice.millis(kFirstEvent, kLastEvent);
  const Millis lasts = dice.millis(300, 12000);
  const std::string name = "own-" + std::to_string(at.count());
  const auto then = [&](const char* what, void (Guests::*act)(const std::string&, const std::string&), Millis after) {
    on_guest(plan, at + after, vm, what,
             [act](Guests& guests, const std::string& one) { (guests.*act)(kNamespace, one); });
  };
  switch (dice.number(0, 9)) {
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
      return on_guest(plan, at, vm, "migrates for " + text(lasts),
                      [=](Guests& guests, const std::string& one) { guests.migrate(kNamespace, one, lasts); });
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
    default:
      return then("is recreated", &Guests::recreate, Millis(0));
  }
}

void draw_call_by_hand(Dice& dice, Plan& plan) {
  const std::string vm = dice.of(plan.vms).name;
  const std::string operation = dice.of<std::string>({"freeze", "unfreeze"});
  const int seconds = dice.number(1, 40);
  plan.add(dice.millis(kFirstEvent, kLastEvent), vm + ": " + operation + " by hand", [=](History& history) {
    if (operation == "unfreeze") history.thawed_by_hand.insert(vm);
    history.begin("by-hand", "PUT",
                  path_of("subresources.kubevirt.io/v1", "virtualmachineinstances", vm) + "/" + operation,
                  operation == "freeze" ? Body{{"unfreezeTimeout", std::to_string(seconds) + "s"}} : Body());
  });
}

// Of somebody else, with a disk of a VM's.
void draw_pod(Dice& dice, Plan& plan) {
  const Millis at = dice.millis(kFirstEvent, kLastEvent);
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
  plan.add(dice.millis(kFirstEvent, 40000),
           "Longhorn's own API is in mood " + std::to_string(static_cast<int>(mood)) + " for " + text(lasts),
           [=](History& history) {
             history.cluster.locked([&] { history.cluster.longhorn().set_mood(mood, history.runtime.now() + lasts); });
           });
}

void draw_harvesters_deed(Dice& dice, Plan& plan) {
  const Millis at = dice.millis(kFirstEvent, kLastEvent);
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

void draw_accidents(Dice& dice, Plan& plan) {
  // Many at once hide each other: some histories have none, most have a few.
  plan.accidents = dice.of({0, 1, 1, 2, 2, 3, 4, 6, 9});
  for (int i = 0; i < plan.accidents; ++i) {
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
}

}  // namespace sim
