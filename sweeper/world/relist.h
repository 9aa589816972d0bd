// Passes the beginning and the end of a list on to the room that holds its kind.
#pragma once

#include <string>
#include <vector>

#include "sweeper/facts.h"
#include "sweeper/world/rooms.h"

namespace snapfreeze::sweeper {

void relist_started(Rooms& rooms, Kind kind);

// The ids, as their room knows them, of the records that the list did not name. They are gone; the caller removes them.
[[nodiscard]] std::vector<std::string> relist_done(Rooms& rooms, Kind kind, Mono now);

}  // namespace snapfreeze::sweeper
