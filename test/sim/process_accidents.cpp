#include "test/sim/process_accidents.h"

#include <algorithm>

#include "freeze/names.h"
#include "test/sim/backups.h"
#include "test/sim/history.h"

namespace sim {
namespace {

// That a backup joins a session is told by its Lease.
void hide_sessions(Dice& dice, Plan& plan, const When& at) {
  cluster::Holdback holdback;
  holdback.path = "/coordination.k8s.io/v1/leases";
  holdback.only_open = dice.one_in(2);
  const Millis lasts = dice.millis(2000, 60000);
  plan.add(at + dice.millis(0, 500), "watches of Leases say nothing for " + text(lasts),
           [=](History& history) { history.hold_back(holdback, lasts); });
}

// Until its verdict is that nothing could be verified. Whoever takes over can, and must not take it back.
void fail_looks(Dice& dice, Plan& plan, const When& at) {
  cluster::Fault fault;
  fault.kind = cluster::FaultKind::kStatus;
  fault.status = 500;
  fault.caller = dice.of<std::string>({"sweeper-0", "sweeper-1"});
  fault.verb = "list";
  fault.path = "/pods";
  fault.count = dice.number(8, 30);
  plan.add(at, fault.caller + " cannot list pods, " + std::to_string(fault.count) + " times",
           [=](History& history) { history.cluster.add_fault(fault); });
}

// What it has just written, or done, the next one must take up.
void stop_at_a_record(Dice& dice, Plan& plan, const When& at) {
  cluster::Fault fault;
  fault.kind = dice.of({cluster::FaultKind::kKillAfter, cluster::FaultKind::kStopAfter});
  fault.verb = "patch";
  fault.path = dice.of<std::string>({"/virtualmachinebackups", "/volumesnapshots", "/leases/vms.", "/unfreeze"});
  fault.nth = dice.number(1, 4);
  fault.delay = dice.millis(500, 40000);
  if (fault.path == "/volumesnapshots" && dice.one_in(2)) fail_looks(dice, plan, at);
  if (fault.path == "/unfreeze") {
    fault.verb = "unfreeze";
    fault.nth = 1;
    // What comes so late that the thaw does not wait for it, or is not told of, is cut after the thaw.
    draw_one_more(dice, plan, at + dice.millis(0, 600));
    if (dice.one_in(2)) hide_sessions(dice, plan, at);
  }
  plan.add(at,
           "whoever leads is " + std::string(fault.kind == cluster::FaultKind::kStopAfter ? "stopped" : "killed") +
               " after " + fault.verb + " " + std::to_string(fault.nth) + " of " + fault.path + ", for " +
               text(fault.delay),
           [=](History& history) {
             for (const char* process : {"sweeper-0", "sweeper-1"}) {
               cluster::Fault one = fault;
               one.caller = process;
               history.begin_fault(one, fault.delay);
             }
           });
}

// It goes on in the belief that it has just been made leader again.
void stop_at_renewal(Dice& dice, Plan& plan, const When& at) {
  cluster::Fault fault;
  fault.kind = cluster::FaultKind::kStopAfter;
  fault.caller = dice.of<std::string>({"sweeper-0", "sweeper-1"});
  fault.verb = "patch";
  fault.path = snapfreeze::freeze::kLeaderLease;
  fault.delay = dice.millis(8000, 40000);
  plan.add(at, fault.caller + " is stopped at its next renewal, for " + text(fault.delay),
           [=](History& history) { history.begin_fault(fault, fault.delay); });
}

// A machine that sleeps, and whose clock is set meanwhile: what the API server says of time is no longer what passed.
void sleep_over_a_step(Plan& plan, const When& at, Millis lasts, const When& then, Millis step) {
  plan.add(at, "both sweepers are stopped for " + text(lasts), [=](History& history) {
    for (const char* process : {"sweeper-0", "sweeper-1"}) history.stop_for(process, lasts);
  });
  plan.step_clock(then, step);
}

// A short timer ends, and a disk is cut, before the guest reports anything.
void sleep_over_a_short_freeze(Dice& dice, Plan& plan) {
  const std::string vm = plan.any_vm(dice);
  const Millis begin = dice.millis(kFirstEvent, 40000);
  plan.cut_within(dice, vm, 4500, 7000);
  add_backup_of(plan, vm, dice.of<std::string>({"5s", "6s"}), {begin, {}});
  const When at = {begin, Aim{Moment::kFreeze, vm, 2}, dice.millis(0, 500)};
  const Millis step = dice.millis(-20000, -3000);
  const When then = at + dice.millis(0, 3000);
  sleep_over_a_step(plan, at, dice.millis(5500, 9000), then, step);
}

void stop_over_a_step(Dice& dice, Plan& plan, const When& at) {
  if (dice.one_in(2)) return sleep_over_a_short_freeze(dice, plan);
  const Millis step = dice.millis(-40000, 10000);
  const When then = at + dice.millis(0, 3000);
  sleep_over_a_step(plan, at, dice.millis(3000, 40000), then, step);
}

}  // namespace

std::string draw_process(Dice& dice) {
  return dice.of<std::string>({"sweeper-0", "sweeper-0", "sweeper-1", "webhook-0", "webhook-1"});
}

void draw_crash_or_stop(Dice& dice, Plan& plan) {
  const std::string process = draw_process(dice);
  const When at = plan.moment(dice);
  plan.hinders_us = true;
  const Millis lasts = dice.one_in(3) ? dice.millis(10000, 120000) : dice.millis(50, 10000);
  const int step = dice.number(1, 60);
  switch (dice.number(0, 8)) {
    case 7:
      return stop_over_a_step(dice, plan, at);
    case 6:
      return plan.add(at, process + " is told to end, back after " + text(lasts),
                      [=](History& history) { history.installation.terminate(process, lasts); });
    case 5:
    case 8:
      return stop_at_a_record(dice, plan, at);
    case 4:
      return stop_at_renewal(dice, plan, at);
    case 0:
      return plan.add(at, process + " is killed, back after " + text(lasts),
                      [=](History& history) { history.installation.kill(process, lasts); });
    case 1:
      return plan.add(at, process + " is stopped for " + text(lasts),
                      [=](History& history) { history.stop_for(process, lasts); });
    default:
      return plan.add(at, process + " is stopped at step " + std::to_string(step) + " from now for " + text(lasts),
                      [=](History& history) {
                        history.stopped.insert(process);
                        history.installation.process(process).gate.close_at(Gate::Where::kAtStep, step, lasts);
                      });
  }
}

// A process is stopped between its decision to call a guest and the call, and goes on in the midst of what comes next.
void draw_late_call(Dice& dice, Plan& plan) {
  const bool freezes = dice.one_in(3);
  const std::string process =
      dice.of<std::string>({freezes ? "webhook-0" : "sweeper-0", freezes ? "webhook-1" : "sweeper-1"});
  const Begin begin = dice.of(plan.begins);
  const Millis at = std::max(Millis(kFirstEvent), begin.at - dice.millis(0, 500));
  const Millis longest = dice.one_in(3) ? dice.millis(100, 12000) : Millis(90000);
  const std::string call = freezes ? "/freeze" : "/unfreeze";
  plan.hinders_us = true;
  plan.add(at, process + " is stopped before its next " + call.substr(1) + ", for " + text(longest) + " at most",
           [=](History& history) { history.stop_before(process, call, longest); });
  const Aim next = {Moment::kFreeze, begin.vm, dice.number(1, 4)};
  plan.add({at, next, dice.millis(0, 3000)}, process + " goes on",
           [=](History& history) { history.installation.process(process).gate.go_on(); });
  if (dice.one_in(4)) return;
  // Whoever takes over needs some time.
  draw_one_more(dice, plan, {begin.at + dice.millis(1000, 40000), {}});
}

}  // namespace sim
