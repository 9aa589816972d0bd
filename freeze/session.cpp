#include "freeze/session.h"

#include <algorithm>

namespace snapfreeze::freeze {

std::string_view to_string(Phase phase) {
  switch (phase) {
    case Phase::kFreezing:
      return "Freezing";
    case Phase::kFrozen:
      return "Frozen";
    case Phase::kArmed:
      return "Armed";
    case Phase::kThawing:
      return "Thawing";
    case Phase::kResting:
      return "Resting";
    case Phase::kNewer:
      break;
  }
  return "NewerFormat";
}

bool is_frozen(Phase phase) {
  return phase == Phase::kFrozen || phase == Phase::kArmed;
}

bool holds_guest(Phase phase) {
  return phase == Phase::kFreezing || is_frozen(phase);
}

bool releases_guest(Phase phase) {
  return phase == Phase::kThawing || phase == Phase::kResting;
}

bool Session::has_disk(std::string_view claim) const {
  return std::find(claims.begin(), claims.end(), claim) != claims.end();
}

const Hold* Session::find_hold(const Hold& hold) const {
  const auto found = std::find_if(holds.begin(), holds.end(), [&](const Hold& mine) { return mine.same_backup(hold); });
  return found == holds.end() ? nullptr : &*found;
}

void Session::doubt(Reason reason) {
  if (std::find(doubts.begin(), doubts.end(), reason) == doubts.end()) doubts.emplace_back(reason);
}

bool Session::only_undoes() const {
  return !doubts.empty() && (doubts.front() == reason::kUndone || doubts.front() == reason::kDuplicate ||
                             doubts.front() == reason::kRescued);
}

}  // namespace snapfreeze::freeze
