// A history that is worth keeping: its seed, and those of its events that suffice to break a promise. It can be played
// again as long as the same seed draws the same events.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "test/sim/plan.h"

namespace sim {

struct Saved {
  std::uint64_t seed = 0;
  Plan plan;  // without the events that do not matter
};

//   # (3) what broke, in words
//   seed 10069
//   event 3 at 4543 ms: backup b0 of vm3
// Both throw std::runtime_error that names the file; load() also for an event that is drawn otherwise by now.
void save(const std::string& file, const Saved& saved, const std::vector<std::string>& broken);
[[nodiscard]] Saved load(const std::string& file);

}  // namespace sim
