// All that is known, a table for each kind of object.
#pragma once

#include <optional>

#include "sweeper/world/backups.h"
#include "sweeper/world/captures.h"
#include "sweeper/world/guests.h"
#include "sweeper/world/sessions.h"
#include "sweeper/world/snapshots.h"

namespace snapfreeze::sweeper {

struct Rooms {
  Sessions sessions;
  Snapshots snapshots;
  Captures captures;
  Backups backups;
  Guests guests;
  std::optional<Mono> synced_since;  // when everything had been listed once
};

}  // namespace snapfreeze::sweeper
