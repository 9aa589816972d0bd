// All that is known, a table for each kind of object.
#pragma once

#include <optional>
#include <string>

#include "sweeper/world/backups.h"
#include "sweeper/world/captures.h"
#include "sweeper/world/guests.h"
#include "sweeper/world/sessions.h"
#include "sweeper/world/snapshots.h"
#include "sweeper/world/table.h"

namespace snapfreeze::sweeper {

struct Rooms {
  Sessions sessions;
  Snapshots snapshots;
  Captures captures;
  Table<std::string> longhorn_volumes;  // that are being cut, by the uid of the VolumeSnapshot
  Backups backups;
  Guests guests;
  std::optional<Mono> synced_since;  // when everything had been listed once
};

}  // namespace snapfreeze::sweeper
