#include "test/sim/guest_accidents.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "test/sim/backups.h"
#include "test/sim/history.h"

namespace sim {
namespace {

using Body = cluster::Json;

// KubeVirt's timer has run off, and its thaw is on the way for a moment. A webhook that is slow then meets it.
void draw_slow_timer(Dice& dice, Plan& plan) {
  cluster::GuestFault fault;
  fault.operation = "unfreeze";
  fault.kind = cluster::GuestFaultKind::kLate;
  fault.count = dice.number(1, 3);
  fault.delay = dice.millis(50, 900);
  fault.caller = "timer";
  const Begin begin = dice.of(plan.begins);
  const std::string vm = begin.vm;
  const Millis lasts = dice.millis(600, 1500);
  plan.hinders_us = true;
  plan.cut_within(dice, vm, 300, 3000);
  plan.add(begin.at,
           vm + ": its timers are late by " + text(fault.delay) +
               ", and whoever thaws it first is stopped before for " + text(lasts),
           [=](History& history) {
             history.cluster.guests().add_fault(kNamespace, vm, fault);
             for (const char* process : {"webhook-0", "webhook-1"}) history.stop_before(process, "/unfreeze", lasts);
           });
}

void on_guest(Plan& plan, const When& at, const std::string& vm, const std::string& what,
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

// The sweepers learn nothing of these for so long, unless they ask anew.
void look_away(Dice& dice, Plan& plan, const When& at, Millis lasts, const std::vector<std::string>& paths) {
  const bool only_open = dice.one_in(3);
  plan.hinders_us = true;
  plan.add(at, (only_open ? "open watches of " : "watches of ") + paths.front() + " say nothing for " + text(lasts),
           [=](History& history) {
             for (const std::string& path : paths) {
               cluster::Holdback holdback;
               holdback.path = path;
               holdback.only_open = only_open;
               history.hold_back(holdback, lasts);
             }
           });
}

void add_call_by_hand(Plan& plan, const When& at, const std::string& vm, const std::string& operation,
                      int seconds = 0) {
  plan.add(at, vm + ": " + operation + " by hand", [=](History& history) {
    if (operation == "unfreeze") history.thawed_by_hand.insert(vm);
    history.begin("by-hand", "PUT",
                  path_of("subresources.kubevirt.io/v1", "virtualmachineinstances", vm) + "/" + operation,
                  operation == "freeze" ? Body{{"unfreezeTimeout", std::to_string(seconds) + "s"}} : Body());
  });
}

void add_snapshot_of_kubevirts(Plan& plan, const When& at, const std::string& vm, Millis lasts) {
  const std::string name = "own-" + std::to_string(plan.events.size());
  on_guest(plan, at, vm, "gets a snapshot of KubeVirt's own for " + text(lasts),
           [=](cluster::Guests& guests, const std::string& one) { guests.vm_snapshot(kNamespace, one, name, lasts); });
}

// `claim` "": it mounts nothing.
void begin_pod(History& history, const std::string& name, const std::string& claim) {
  Body container = {{"name", "reader"}, {"image", "none"}};
  Body spec = Body::object();
  if (!claim.empty()) {
    container["volumeDevices"] = {{{"name", "disk"}, {"devicePath", "/dev/disk"}}};
    spec["volumes"] = {{{"name", "disk"}, {"persistentVolumeClaim", {{"claimName", claim}}}}};
  }
  spec["containers"] = Body::array({container});
  history.begin("admin", "POST", std::string("/api/v1/namespaces/") + kNamespace + "/pods",
                {{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", {{"name", name}}}, {"spec", spec}});
}

// Harvester freezes for the first disk, and not for the next one; no webhook can be reached.
When lose_between_disks(Dice& dice, Plan& plan, const When& at, const std::string& vm) {
  const Millis lasts = dice.millis(10000, 40000);
  plan.hinders_us = true;
  plan.add({std::max(Millis(kFirstEvent), at.at - Millis(1000)), {}},
           "both webhooks are killed, back after " + text(lasts), [=](History& history) {
             for (const char* process : {"webhook-0", "webhook-1"}) history.installation.kill(process, lasts);
           });
  return {at.at, Aim{Moment::kFreeze, vm}, dice.millis(0, 200)};
}

std::string draw_caller(Dice& dice, const std::string& operation) {
  if (operation == "unfreeze") return dice.of<std::string>({"sweeper-0", "sweeper-1", "webhook-0", "webhook-1"});
  return dice.of<std::string>({"webhook-0", "webhook-1"});
}

}  // namespace

void draw_fault_of_a_guest(Dice& dice, Plan& plan) {
  if (dice.one_in(4)) return draw_slow_timer(dice, plan);
  using cluster::GuestFaultKind;
  cluster::GuestFault fault;
  fault.operation = dice.of<std::string>({"freeze", "unfreeze"});
  fault.kind = dice.of({GuestFaultKind::kFail, GuestFaultKind::kLate});
  if (fault.operation == "freeze" && dice.one_in(3)) fault.kind = GuestFaultKind::kHalfway;
  fault.nth = dice.number(1, 3);
  fault.count = dice.number(1, 3);
  // Otherwise Harvester's own calls, which come first, would meet most of them.
  if (dice.one_in(2)) fault.caller = draw_caller(dice, fault.operation);
  if (!fault.caller.empty() && dice.one_in(2)) fault.nth = 1;
  if (fault.kind == GuestFaultKind::kLate || dice.one_in(2)) fault.delay = dice.millis(1000, 59000);
  const std::string vm = plan.any_vm(dice);
  plan.add(plan.moment(dice),
           vm + ": " + fault.operation + " of " + (fault.caller.empty() ? "anyone" : fault.caller) + " fails, kind " +
               std::to_string(static_cast<int>(fault.kind)) + ", by " + text(fault.delay),
           [=](History& history) {
             if (fault.operation == "unfreeze") history.hindered.insert(vm);
             history.cluster.guests().add_fault(kNamespace, vm, fault);
           });
}

void draw_fate_of_a_guest(Dice& dice, Plan& plan) {
  using cluster::Guests;
  const std::string vm = plan.any_vm(dice);
  When at = plan.moment(dice);
  // Some for longer than it takes until a guest that nobody seems to thaw is rescued.
  Millis lasts = dice.one_in(6) ? dice.millis(70000, 150000) : dice.millis(300, 12000);
  // No guest is frozen while it moves, so that the last backups could not be taken.
  const Millis moves_for = std::min(lasts, Millis(12000));
  const std::string name = "own-" + std::to_string(plan.events.size());
  // Often what only a watch tells of.
  int fate = dice.of({0, 1, 2, 2, 3, 4, 5, 6, 6, 7, 8, 8, 9, 9, 9, 10});
  // Where a kind is missing, KubeVirt makes neither a snapshot nor a backup of its own.
  if (!plan.not_served.empty() && (fate == 6 || fate == 7)) fate = 10;
  const bool off =
      std::any_of(plan.vms.begin(), plan.vms.end(), [&](const auto& one) { return one.name == vm && !one.running; });
  if (off && !dice.one_in(3)) fate = 1;
  const bool begins_anew = fate == 2 || fate == 9;
  // What no watch tells in time, only a fresh look does.
  if (dice.one_in(begins_anew ? 2 : 3)) {
    const Millis away = dice.millis(4000, 20000);
    look_away(dice, plan, {std::max(Millis(kFirstEvent), at.at - dice.millis(0, 3000)), {}}, away,
              {"/kubevirt.io/v1/virtualmachineinstances", "/kubevirt.io/v1/virtualmachines"});
  }
  if (begins_anew && dice.one_in(2)) {
    // It is up again when its disks are cut, and before it would have to report.
    plan.cut_within(dice, vm, 2500, 10000);
    at = {at.at, Aim{Moment::kFreeze, vm, dice.number(1, 2)}, dice.millis(0, 1500)};
  }
  const auto then = [&](const char* what, void (Guests::*act)(const std::string&, const std::string&), Millis after) {
    on_guest(plan, at + after, vm, what,
             [act](Guests& guests, const std::string& one) { (guests.*act)(kNamespace, one); });
  };
  switch (fate) {
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
      return add_snapshot_of_kubevirts(plan, at, vm, lasts);
    case 7:
      return on_guest(plan, at, vm, "gets a backup of KubeVirt's own for " + text(lasts),
                      [=](Guests& guests, const std::string& one) {
                        Guests::BackupOptions options;
                        options.name = name;
                        options.duration = lasts;
                        guests.kubevirt_backup(kNamespace, one, options);
                      });
    case 8:
      if (dice.one_in(3)) at = lose_between_disks(dice, plan, at, vm);
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

void draw_call_by_hand(Dice& dice, Plan& plan) {
  const std::string vm = plan.any_vm(dice);
  const std::string operation = dice.of<std::string>({"freeze", "unfreeze"});
  const int seconds = dice.number(1, 40);
  When when = plan.moment(dice);
  // A thaw matters only while the guest is frozen, and is seen only if that was to last.
  if (operation == "unfreeze" && dice.one_in(2)) {
    when = {when.at, Aim{Moment::kFreeze, vm, dice.number(1, 2)}, dice.millis(0, 3000)};
  }
  add_call_by_hand(plan, when, vm, operation, seconds);
}

void draw_long_freeze_by_another(Dice& dice, Plan& plan) {
  const Millis later = dice.one_in(4) ? dice.millis(250000, 300000) : dice.millis(1000, 90000);
  const int seconds = dice.number(65, 200);
  const std::string vm = plan.any_vm(dice);
  const When at = plan.moment(dice) + later;
  if (plan.not_served.empty() && dice.one_in(2)) {
    add_snapshot_of_kubevirts(plan, at, vm, std::chrono::seconds(seconds));
  } else {
    add_call_by_hand(plan, at, vm, "freeze", seconds);
  }
  if (dice.one_in(2)) return draw_labelled(dice, plan, vm, at + dice.millis(16000, 60000));
  if (dice.one_in(2)) draw_one_more(dice, plan, at + dice.millis(100, 20000));
}

void draw_unnoticed_thaw(Dice& dice, Plan& plan) {
  const Begin begin = dice.of(plan.begins);
  plan.cut_within(dice, begin.vm, 13000, 25000);
  const When at = {begin.at, Aim{Moment::kFreeze, begin.vm, dice.number(1, 2)}, dice.millis(50, 12000)};
  add_call_by_hand(plan, at, begin.vm, "unfreeze");
}

void draw_pod(Dice& dice, Plan& plan) {
  const When at = plan.moment(dice);
  const std::string name = "reader-" + std::to_string(plan.events.size());
  const std::string claim = plan.any_vm(dice) + "-disk-0";
  plan.add(at, "a pod mounts " + claim, [=](History& history) { begin_pod(history, name, claim); });
  const Millis stays = dice.one_in(2) ? dice.millis(10, 1500) : dice.millis(100, 30000);
  if (dice.one_in(2)) {
    look_away(dice, plan, at, dice.millis(4000, 20000), {"/v1/pods"});
    // That the watch lags shows in that a list knows of one that came later.
    if (dice.one_in(2)) {
      plan.add(at + stays + dice.millis(10, 2000), "a pod without disks comes",
               [=](History& history) { begin_pod(history, name + "-later", ""); });
    }
  }
  plan.add(at + stays, "that pod goes", [=](History& history) {
    history.begin("admin", "DELETE", std::string("/api/v1/namespaces/") + kNamespace + "/pods/" + name);
  });
}

}  // namespace sim
