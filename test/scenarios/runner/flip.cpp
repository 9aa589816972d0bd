#include "test/scenarios/runner/flip.h"

#include <algorithm>
#include <chrono>

#include "base/time.h"

namespace runner {
namespace {

void flip_verdict(const Expectation& expected, std::vector<std::pair<Expectation, std::string>>& out) {
  Expectation other = expected;
  for (const char* consistency : {"filesystem", "offline", "none"}) {
    const auto same = [&](const Verdict& verdict) { return verdict.consistency == consistency; };
    if (std::any_of(expected.verdicts.begin(), expected.verdicts.end(), same)) continue;
    other.verdicts = {{consistency, ""}};
    out.emplace_back(other, consistency);
    break;
  }
  if (expected.verdicts.size() == 1 && !expected.verdicts.front().reason.empty()) {
    other.verdicts = {{"crash", expected.verdicts.front().reason + "-not"}};
    out.emplace_back(other, "another reason");
  }
}

// Adds what `expected` is turned into; nothing, when nothing is less than it.
void flip(const Expectation& expected, std::vector<std::pair<Expectation, std::string>>& out) {
  Expectation other = expected;
  switch (expected.field) {
    case Field::kFreezes:
      ++other.count;
      out.emplace_back(other, std::to_string(other.count) + " freezes");
      return;
    case Field::kFreezesAtMost:
      other.count = 0;
      if (expected.count > 0) out.emplace_back(other, "no freeze");
      return;
    case Field::kAsked:
      other.yes = !expected.yes;
      out.emplace_back(other, other.yes ? "Longhorn is asked" : "Longhorn is not asked");
      return;
    case Field::kCalls:
    case Field::kCallsASecond:
      // Half of them must be too few, or the bound says nothing.
      other.count = expected.count / 2;
      out.emplace_back(other, std::to_string(other.count) + " calls of Longhorn");
      return;
    case Field::kThawedBy:
      other.who = expected.who == "timer" ? "sweeper" : "timer";
      out.emplace_back(other, "thawed by " + other.who);
      return;
    case Field::kStaysFrozen:
      other.yes = !expected.yes;
      out.emplace_back(other, other.yes ? "stays frozen" : "does not stay frozen");
      return;
    case Field::kVerdict:
      flip_verdict(expected, out);
      return;
    case Field::kFrozenAtMost:
    case Field::kCompletesWithin:
    case Field::kThawedWithin:
      // Half of a bound must be too little, or the bound says nothing.
      other.bound = expected.bound ? *expected.bound / 2 : Millis(std::chrono::hours(1));
      out.emplace_back(other, "within " + snapfreeze::format_duration(*other.bound));
      return;
  }
}

}  // namespace

std::vector<Flipped> flipped(const Scenario& scenario) {
  std::vector<Flipped> all;
  for (std::size_t i = 0; i < scenario.expectations.size(); ++i) {
    std::vector<std::pair<Expectation, std::string>> others;
    flip(scenario.expectations[i], others);
    for (const auto& [other, what] : others) {
      all.push_back({scenario, other.where + " says '" + what + "' instead"});
      all.back().scenario.expectations[i] = other;
    }
  }
  return all;
}

}  // namespace runner
