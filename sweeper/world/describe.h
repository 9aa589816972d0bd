// How one session, one snapshot without a session, or one frozen guest looks: what the rooms know of it, put together.
// Pure.
#pragma once

#include <optional>
#include <string>

#include "sweeper/situation.h"
#include "sweeper/world/rooms.h"

namespace snapfreeze::sweeper {

// nullopt: no such session.
[[nodiscard]] std::optional<Situation> describe_session(const Rooms& rooms, const std::string& session_uid);

// nullopt: no such snapshot, or its session is there.
[[nodiscard]] std::optional<Stray> describe_stray(const Rooms& rooms, const std::string& snapshot_uid);

// nullopt: not reported frozen, or it has a session.
[[nodiscard]] std::optional<FrozenGuest> describe_frozen_guest(const Rooms& rooms, const std::string& guest);

// The snapshot's backup, if that is of the same namespace and has it in its list; otherwise nullptr. An owner reference
// can be copied onto any number of snapshots; the backup's own list cannot be added to.
[[nodiscard]] const BackupFacts* listing_backup(const Rooms& rooms, const SnapshotFacts& facts);

}  // namespace snapfreeze::sweeper
