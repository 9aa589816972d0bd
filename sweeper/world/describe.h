// Describes one session, one snapshot without a session, or one frozen guest, by what the rooms know of it. Pure.
#pragma once

#include <optional>
#include <string>

#include "sweeper/situation.h"
#include "sweeper/world/rooms.h"

namespace snapfreeze::sweeper {

// nullopt: no such session.
[[nodiscard]] std::optional<Situation> describe_session(const Rooms& rooms, const std::string& session_uid);

// nullopt: no such snapshot, or its session exists.
[[nodiscard]] std::optional<Stray> describe_stray(const Rooms& rooms, const std::string& snapshot_uid);

// nullopt: the guest does not report frozen, or has a session.
[[nodiscard]] std::optional<FrozenGuest> describe_frozen_guest(const Rooms& rooms, const std::string& guest);

// The snapshot's backup, if it is in the same namespace and lists the snapshot; otherwise nullptr. A tenant can copy an
// owner reference onto any snapshot, but cannot add to the backup's own list.
[[nodiscard]] const BackupFacts* listing_backup(const Rooms& rooms, const SnapshotFacts& facts);

}  // namespace snapfreeze::sweeper
