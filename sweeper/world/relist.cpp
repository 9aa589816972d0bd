#include "sweeper/world/relist.h"

namespace snapfreeze::sweeper {
namespace {

// nullptr: nothing is kept of that kind but captures.
Listed* records_of(Rooms& rooms, Kind kind) {
  switch (kind) {
    case Kind::kSession:
      return &rooms.sessions.listed();
    case Kind::kSnapshot:
      return &rooms.snapshots.listed();
    case Kind::kBackup:
      return &rooms.backups.listed();
    case Kind::kVmi:
      return &rooms.guests.listed_vmis();
    case Kind::kVm:
      return &rooms.guests.listed_vms();
    case Kind::kContent:
      return &rooms.longhorn_volumes;
    case Kind::kLonghornSnapshot:
      break;
  }
  return nullptr;
}

Listing& listing_of(Rooms& rooms, Kind kind) {
  return rooms.listings[static_cast<std::size_t>(kind)];
}

}  // namespace

void relist_started(Rooms& rooms, Kind kind) {
  listing_of(rooms, kind).complete_since = Mono::max();
  if (const auto source = watch_of(kind).source) rooms.captures.relist_started(*source);
  if (Listed* records = records_of(rooms, kind)) records->relist_started();
}

std::vector<std::string> relist_done(Rooms& rooms, Kind kind, Mono now) {
  listing_of(rooms, kind) = {true, now};
  if (const auto source = watch_of(kind).source) rooms.captures.relist_done(*source);
  Listed* records = records_of(rooms, kind);
  return records == nullptr ? std::vector<std::string>{} : records->relist_done();
}

}  // namespace snapfreeze::sweeper
