// What the beginning and the end of a list mean to the rooms that hold its kind.
#pragma once

#include <string>
#include <vector>

#include "sweeper/facts.h"
#include "sweeper/world/rooms.h"

namespace snapfreeze::sweeper {

void relist_started(Rooms& rooms, Kind kind);

// The records that the list did not name, by the ids of their room: they are gone, and left to be removed.
[[nodiscard]] std::vector<std::string> relist_done(Rooms& rooms, Kind kind, Mono now);

}  // namespace snapfreeze::sweeper
