#include "sweeper/world/relist.h"

namespace snapfreeze::sweeper {

void relist_started(Rooms& rooms, Kind kind) {
  if (const auto source = watch_of(kind).source) rooms.captures.relist_started(*source);
  switch (kind) {
    case Kind::kSession:
      return rooms.sessions.relist_started();
    case Kind::kSnapshot:
      return rooms.snapshots.relist_started();
    case Kind::kBackup:
      return rooms.backups.relist_started();
    case Kind::kVmi:
      return rooms.guests.vmi_relist_started();
    case Kind::kVm:
      return rooms.guests.vm_relist_started();
    case Kind::kContent:
      return rooms.longhorn_volumes.relist_started();
    case Kind::kLonghornSnapshot:
      break;  // nothing is kept of them but captures
  }
}

std::vector<std::string> relist_done(Rooms& rooms, Kind kind, Mono now) {
  if (const auto source = watch_of(kind).source) rooms.captures.relist_done(*source);
  switch (kind) {
    case Kind::kSession:
      return rooms.sessions.relist_done();
    case Kind::kSnapshot:
      return rooms.snapshots.relist_done();
    case Kind::kBackup:
      return rooms.backups.relist_done();
    case Kind::kVmi:
      return rooms.guests.vmi_relist_done(now);
    case Kind::kVm:
      return rooms.guests.vm_relist_done();
    case Kind::kContent:
      return rooms.longhorn_volumes.relist_done();
    case Kind::kLonghornSnapshot:
      break;
  }
  return {};
}

bool synced(const Rooms& rooms, Kind kind) {
  switch (kind) {
    case Kind::kSession:
      return rooms.sessions.synced();
    case Kind::kSnapshot:
      return rooms.snapshots.synced();
    case Kind::kBackup:
      return rooms.backups.synced();
    case Kind::kVmi:
      return rooms.guests.vmis_synced();
    case Kind::kVm:
      return rooms.guests.vms_synced();
    case Kind::kContent:
    case Kind::kLonghornSnapshot:
      break;
  }
  return rooms.captures.synced(*watch_of(kind).source);
}

}  // namespace snapfreeze::sweeper
