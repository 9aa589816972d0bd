// The sweeper's view of the cluster, fed by watches and by what its own writes returned. It decides nothing and reads
// no clock. Each watch may lag behind the others by any time, so nothing relies on the order between two kinds.
//
// Each kind of object has a room of its own beside this file. This one does what takes more than one room.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sweeper/facts.h"
#include "sweeper/situation.h"
#include "sweeper/world/describe.h"
#include "sweeper/world/relist.h"
#include "sweeper/world/rooms.h"

namespace snapfreeze::sweeper {

// What was touched by a change.
struct News {
  std::set<std::string> sessions;        // uids; also of those that ended
  std::set<std::string> strays;          // uids of snapshots without a session
  std::set<std::string> guests;          // that report frozen, or of which something changed that matters to a rescue
  std::vector<freeze::Session> deleted;  // sessions that somebody deleted, perhaps another sweeper
};

// Not thread-safe.
class World {
 public:
  explicit World(ThawOn thaw_on) : thaw_on_(thaw_on) {}

  [[nodiscard]] News apply(const Change& change, Observed now);

  // What a write of ours returned. A watched object replaces it only if it is newer.
  [[nodiscard]] News wrote(const freeze::Session& session, Mono now);
  // What was read afresh: it replaces whatever we knew.
  [[nodiscard]] News read_afresh(const freeze::Session& session, Mono now);
  // We deleted it, or read afresh that it is gone. The watch cannot bring it back.
  [[nodiscard]] News ended(const std::string& session_uid, Mono now);
  [[nodiscard]] News judged(const std::string& snapshot_uid, const freeze::Verdict& verdict);
  [[nodiscard]] News judged_backup(const std::string& backup_uid, const freeze::Verdict& verdict);
  // Longhorn says that the snapshot was cut.
  [[nodiscard]] News cut_live(const std::string& snapshot_uid, const LiveCut& live);
  void told(const SnapshotFacts& facts, Mono now) { rooms_.snapshots.tell(facts, now); }
  // Everything is looked at once more.
  [[nodiscard]] News touch_all();
  // The snapshot needs nothing more of us; it comes back with its next event only.
  void forget(const std::string& snapshot_uid) { (void)rooms_.snapshots.remove(snapshot_uid); }
  // Drops the backups of which nothing more is wanted. `bound`: the API server's present, at most.
  void forget_old_backups(Wall bound, Mono now) { rooms_.backups.forget_old(bound, now); }

  // See describe.h.
  [[nodiscard]] std::optional<Situation> situation(const std::string& uid) const {
    return describe_session(rooms_, uid);
  }
  [[nodiscard]] std::optional<Stray> stray(const std::string& uid) const { return describe_stray(rooms_, uid); }
  [[nodiscard]] std::optional<FrozenGuest> frozen_guest(const std::string& guest) const {
    return describe_frozen_guest(rooms_, guest);
  }
  [[nodiscard]] const std::set<std::string>& sessions_of(const std::string& guest) const {
    return rooms_.sessions.of_guest(guest);
  }
  [[nodiscard]] bool has_session(const std::string& guest) const { return !sessions_of(guest).empty(); }

  [[nodiscard]] bool synced(Kind kind) const { return rooms_.listing(kind).once; }
  [[nodiscard]] bool synced() const;  // every kind that is watched was listed once
  [[nodiscard]] const std::map<freeze::Phase, int>& phases() const { return rooms_.sessions.phases(); }
  // How much of each kind is remembered. What is over is forgotten, or a sweeper would grow as long as it lives.
  [[nodiscard]] std::size_t snapshots_kept() const { return rooms_.snapshots.size(); }
  [[nodiscard]] std::size_t backups_kept() const { return rooms_.backups.size(); }
  [[nodiscard]] std::size_t captures_kept() const { return rooms_.captures.size(); }
  [[nodiscard]] std::size_t volumes_kept() const { return rooms_.longhorn_volumes.size(); }
  [[nodiscard]] std::size_t sessions_kept() const { return rooms_.sessions.size(); }
  [[nodiscard]] std::size_t vmis_kept() const { return rooms_.guests.vmis(); }

 private:
  void apply(const freeze::Session& session, Observed now);
  void apply(const SnapshotFacts& facts, bool added, Observed now);
  void apply(Captures::Source source, const CaptureFacts& facts, Observed now);
  bool report(Captures::Source source, const CaptureFacts& said, Observed now);
  bool note_volume(const CaptureFacts& facts);
  void apply(const BackupFacts& facts, bool added, Observed now);
  void apply(const VmiFacts& facts, Observed now);
  void apply(const VmFacts& facts, Observed now);
  void remove(Kind kind, const Facts& facts, Mono now);
  void relist_done(Kind kind, Observed now);
  void not_named(Kind kind, const std::string& id, Mono now);  // by a list that is complete

  void remove_session(const std::string& uid, Mono now, bool by_us);
  void remove_snapshot(const std::string& uid);
  void remove_backup(const std::string& uid, Mono now);
  // Its guest has one backup less, or its hold one snapshot less.
  void backup_left(const BackupFacts& facts);
  void snapshot_left(const SnapshotFacts& facts);
  void touch_session(const std::string& uid);
  void snapshot_changed(const SnapshotFacts& facts);
  void backup_changed(const BackupFacts& facts);
  void guest_changed(const std::string& guest);
  News take_news() { return std::exchange(news_, {}); }

  const ThawOn thaw_on_;
  Rooms rooms_;
  News news_;
};

}  // namespace snapfreeze::sweeper
