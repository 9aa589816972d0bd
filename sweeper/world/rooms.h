// All that is known, a table for each kind of object.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "sweeper/facts.h"
#include "sweeper/world/backups.h"
#include "sweeper/world/captures.h"
#include "sweeper/world/guests.h"
#include "sweeper/world/sessions.h"
#include "sweeper/world/snapshots.h"
#include "sweeper/world/table.h"

namespace snapfreeze::sweeper {

struct Listing {
  bool once = false;                  // it was complete once
  Mono complete_since = Mono::max();  // no object was missed since; max: they are being listed
};

struct Rooms {
  Sessions sessions;
  Snapshots snapshots;
  Captures captures;
  Table<std::string> longhorn_volumes;  // that are being cut, by the uid of the VolumeSnapshot
  Backups backups;
  Guests guests;
  std::array<Listing, kKinds> listings;
  std::optional<Mono> synced_since;  // when everything had been listed once

  [[nodiscard]] const Listing& listing(Kind kind) const { return listings[static_cast<std::size_t>(kind)]; }
};

}  // namespace snapfreeze::sweeper
