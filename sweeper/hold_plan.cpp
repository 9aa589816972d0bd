#include "sweeper/hold_plan.h"

#include <algorithm>

#include "sweeper/planner.h"

namespace snapfreeze::sweeper {
namespace {

using freeze::Hold;
using freeze::Policy;

const Member* find_member(const Situation& situation, std::size_t hold, const std::string& name) {
  const auto found = std::find_if(situation.members.begin(), situation.members.end(),
                                  [&](const Member& member) { return member.hold == hold && member.name == name; });
  return found == situation.members.end() ? nullptr : &*found;
}

// The state of the snapshots of one hold.
struct Progression {
  int appeared = 0;
  int captured = 0;
  int failed = 0;                    // not captured, and its driver has said no
  Mono first_failure = Mono::max();  // of those
  Mono last_capture = Mono::min();

  [[nodiscard]] bool all_captured() const { return captured == appeared; }
  // Each that is missing has failed.
  [[nodiscard]] bool only_failures() const { return failed > 0 && captured + failed == appeared; }
};

Progression progression_of(const Situation& situation, std::size_t index) {
  Progression now;
  for (const Member& member : situation.members) {
    if (member.hold != index) continue;
    ++now.appeared;
    if (const auto cut = member.cut()) {
      ++now.captured;
      now.last_capture = std::max(now.last_capture, cut->at);
    } else if (member.failed_since) {
      ++now.failed;
      now.first_failure = std::min(now.first_failure, *member.failed_since);
    }
  }
  return now;
}

// Whether the hold's snapshots are known to be all there, and `counts` holds for each.
template <class Counts>
bool all_expected(const Situation& situation, std::size_t index, const Counts& counts) {
  const HoldSituation& hold = situation.holds[index];
  if (hold.hold.kind == Hold::Kind::kLabel) {
    const auto count = std::count_if(situation.members.begin(), situation.members.end(),
                                     [&](const Member& member) { return member.hold == index && counts(member); });
    return hold.hold.members > 0 && count >= hold.hold.members;
  }
  return !hold.names.empty() && std::all_of(hold.names.begin(), hold.names.end(), [&](const std::string& name) {
    const Member* member = find_member(situation, index, name);
    // One that was admitted without us will not come to this session.
    return member != nullptr ? counts(*member) : hold.elsewhere.contains(name);
  });
}

bool is_complete(const Situation& situation, std::size_t index) {
  return all_expected(situation, index, [](const Member& member) { return member.cut().has_value(); });
}

// When the gather window ends. If a count was given, that many members are waited for until the deadline.
Mono quiet_from(const Situation& situation, std::size_t index, const Progression& now, const Policy& policy) {
  const HoldSituation& hold = situation.holds[index];
  const bool label = hold.hold.kind == Hold::Kind::kLabel;
  if (label && now.appeared < hold.hold.members) return Mono::max();
  const Millis quiet = label && now.captured > 0 && hold.hold.members == 0 ? policy.label_gather : policy.gather;
  // While the guest was still being frozen, nothing could come.
  return std::max(hold.quiet_since, situation.sightings.frozen_since.value_or(hold.quiet_since)) + quiet;
}

}  // namespace

bool waits_for_cuts_only(const Situation& situation, std::size_t index) {
  return !situation.holds[index].deleted && all_expected(situation, index, [](const Member&) { return true; });
}

HoldPlan plan_hold(const Situation& situation, std::size_t index, Mono now, const Policy& policy) {
  // The backup can no longer become consistent.
  if (situation.holds[index].deleted) return {true};
  const Progression progression = progression_of(situation, index);
  if (is_complete(situation, index)) return {true};
  Mono until = quiet_from(situation, index, progression, policy);
  if (until == Mono::max()) return {};
  if (!progression.all_captured()) {
    if (!progression.only_failures()) return {};
    until = std::max(until, std::max(progression.first_failure, progression.last_capture) + kDriverPatience);
  }
  return {now >= until, until};
}

}  // namespace snapfreeze::sweeper
