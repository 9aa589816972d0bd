// Situations of a session, and what is planned in them.
#pragma once

#include <string>
#include <vector>

#include "sweeper/planner.h"
#include "test/unit/sweeper/build.h"

namespace snapfreeze::test {

using Doubts = std::vector<freeze::Reason>;

// Two disks, none captured yet, looked at from the beginning.
inline sweeper::Situation situation(freeze::Phase phase = freeze::Phase::kFrozen) {
  sweeper::Situation s;
  s.session = session(phase);
  s.sightings.first_seen = kStart;
  s.sightings.phase_since = kStart;
  s.sightings.from_birth = true;
  s.sightings.vmi_seen = true;
  s.guest.known = true;
  s.holds.push_back({harvester_hold(), {"disk-0", "disk-1"}, kStart, false, {}, {}});
  for (const std::string name : {"disk-0", "disk-1"}) {
    s.members.push_back({"uid-" + name, "vms", name, name, 0, std::nullopt, {}, {}});
  }
  return s;
}

inline sweeper::Situation captured(Millis first, Millis second) {
  sweeper::Situation s = situation();
  s.members[0].captured = at(first);
  s.members[1].captured = at(second);
  return s;
}

inline sweeper::Plan plan(const sweeper::Situation& s, Millis now, const sweeper::Progress& progress = {}) {
  return sweeper::plan_session(s, progress, at(now), {}, "me");
}

}  // namespace snapfreeze::test
