#include "test/sim/plan.h"

#include <algorithm>

#include "test/sim/history.h"

namespace sim {
namespace {

Aim draw_aim(Dice& dice, const std::string& vm) {
  const Moment moment = dice.of(
      {Moment::kCreate, Moment::kCall, Moment::kFreeze, Moment::kFreeze, Moment::kCut, Moment::kCut, Moment::kThaw});
  return {moment, vm, dice.of({1, 1, 1, 2, 3})};
}

Millis draw_delay(Dice& dice) {
  if (dice.one_in(3)) return Millis(0);
  return dice.one_in(2) ? dice.millis(1, 30) : dice.millis(1, 1500);
}

}  // namespace

void Plan::add(const When& when, const std::string& what, const std::function<void(History&)>& act) {
  if (!when.aim) return add(when.at, what, act);
  const std::string words = text(when.after) + " after " + text(*when.aim) + ": " + what;
  add(when.at, words, [when, what, act](History& history) {
    history.moments.when(*when.aim, when.after, [&history, what, act] {
      history.cluster.locked([&] { history.cluster.truth().note("event", "", what); });
      act(history);
    });
  });
}

std::string Plan::any_vm(Dice& dice) const {
  if (!victim.empty() && !dice.one_in(6)) return victim;
  return dice.of(vms).name;
}

// A session lasts a few seconds of a minute, so that most accidents would pass by all of them.
When Plan::moment(Dice& dice) const {
  if (dice.one_in(victim.empty() ? 3 : 8)) return {dice.millis(kFirstEvent, kLastEvent), {}};
  Begin begin = dice.of(begins);
  while (!victim.empty() && begin.vm != victim) begin = dice.of(begins);
  if (dice.one_in(2)) {
    const Aim aim = draw_aim(dice, begin.vm);
    const Millis after = draw_delay(dice);
    return {std::max(Millis(kFirstEvent), begin.at - dice.millis(0, 200)), aim, after};
  }
  const Millis after = dice.one_in(2) ? dice.millis(-500, 2000) : dice.millis(0, 15000);
  return {std::max(Millis(kFirstEvent), begin.at + after), {}};
}

void Plan::step_clock(const When& when, Millis step) {
  add(when, "the API server's clock is set by " + text(step), [=](History& history) { history.step_clock(step); });
}

void Plan::cut_within(Dice& dice, const std::string& vm, int low, int high) {
  for (auto& [claim, disk] : disks) {
    if (claim.starts_with(vm + "-disk-")) disk.cut = dice.millis(low, high);
  }
}

}  // namespace sim
