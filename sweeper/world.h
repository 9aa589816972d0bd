// The sweeper's view of the cluster, fed by watches and by what its own writes returned. It decides nothing and reads
// no clock. Each watch may lag behind the others by any time, so nothing relies on the order between two kinds.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sweeper/captures.h"
#include "sweeper/facts.h"
#include "sweeper/situation.h"
#include "sweeper/table.h"

namespace snapfreeze::sweeper {

// Not thread-safe.
class World {
 public:
  explicit World(ThawOn thaw_on) : thaw_on_(thaw_on) {}

  void apply(const Change& change, Observed now);

  // What a write of ours returned. A watched object replaces it only if it is newer.
  void wrote(const freeze::Session& session, Mono now);
  // We deleted it, or read afresh that it is gone. The watch cannot bring it back.
  void ended(const std::string& session_uid, Mono now);
  void judged(const std::string& snapshot_uid, const freeze::Verdict& verdict);
  void judged_backup(const std::string& backup_uid, const freeze::Verdict& verdict);
  // Its backup, which is only a label, is spoken of from now on.
  void told(const SnapshotFacts& facts, Mono now);
  // The snapshot needs nothing more of us; it comes back with its next event only.
  void forget(const std::string& snapshot_uid);
  // Drops the backups of which nothing more is wanted. `bound`: the API server's present, at most.
  void forget_old_backups(Wall bound);

  // What was touched since it was last asked.
  struct News {
    std::set<std::string> sessions;        // uids; also of those that ended
    std::set<std::string> strays;          // uids of snapshots without a session
    std::set<std::string> guests;          // that report frozen, or of which something changed that matters to a rescue
    std::vector<freeze::Session> deleted;  // sessions that somebody deleted, perhaps another sweeper
  };
  News take_news();
  void touch_all();

  [[nodiscard]] std::optional<Situation> situation(const std::string& session_uid) const;
  [[nodiscard]] std::optional<Stray> stray(const std::string& snapshot_uid) const;
  // nullopt: not reported frozen, or it has a session.
  [[nodiscard]] std::optional<FrozenGuest> frozen_guest(const std::string& guest) const;
  [[nodiscard]] bool has_session(const std::string& guest) const { return guests_.contains(guest); }

  [[nodiscard]] bool synced(Kind kind) const;
  [[nodiscard]] bool synced() const;  // every kind that is watched was listed once
  [[nodiscard]] const std::map<freeze::Phase, int>& phases() const { return phases_; }  // how many sessions are in each
  [[nodiscard]] const Captures& captures() const { return captures_; }
  [[nodiscard]] std::size_t snapshots_kept() const { return snapshots_.size(); }
  [[nodiscard]] std::size_t backups_kept() const { return backups_.size(); }

  [[nodiscard]] static std::string guest_key(std::string_view ns, std::string_view vm);

 private:
  struct HoldRecord {
    freeze::Hold hold;
    Mono quiet_since{};
    bool deleted = false;
    std::set<std::string> deleted_names;
  };
  struct SessionRecord {
    freeze::Session session;
    Sightings sightings;
    std::vector<HoldRecord> holds;
  };
  struct SnapshotRecord {
    SnapshotFacts facts;
    Mono first_seen{};
    Mono stray_since{};
    bool live = false;      // first seen as news
    bool vmi_seen = false;  // of an offline one
  };
  struct VmiRecord {
    VmiFacts facts;
    Mono frozen_since{};
  };

  void apply(const freeze::Session& session, Observed now);
  void apply(const SnapshotFacts& facts, Observed now);
  void apply(Captures::Source source, const CaptureFacts& facts, Observed now);
  void apply(const BackupFacts& facts);
  void apply(const VmiFacts& facts, Observed now);
  void apply(const VmFacts& facts);
  void relist_started(Kind kind);
  void relist_done(Kind kind, Observed now);

  void store(SessionRecord& record, const freeze::Session& session, Mono now);
  void look_at_guest(SessionRecord& record);
  void remove_session(const std::string& uid, Mono now);
  void remove_snapshot(const std::string& uid);
  void remove_backup(const BackupFacts& facts);
  void remove_vmi(const std::string& guest);
  void remove_vm(const std::string& guest);
  void deleted(Kind kind, const Facts& facts, Mono now);
  void snapshot_changed(const SnapshotFacts& facts);
  void backup_changed(const BackupFacts& facts);
  void guest_changed(const std::string& guest);
  // The snapshot's backup, if that has it in its list; otherwise nullptr.
  [[nodiscard]] const BackupFacts* listing(const SnapshotFacts& facts) const;
  HoldRecord* hold_of(const SnapshotFacts& facts);
  [[nodiscard]] HoldSituation describe(const HoldRecord& record, const std::string& epoch) const;
  [[nodiscard]] Member describe(const SnapshotRecord& snapshot, const SessionRecord& session) const;
  [[nodiscard]] bool watched(const SnapshotRecord& record) const;
  [[nodiscard]] GuestSituation describe_guest(const SessionRecord& record) const;

  const ThawOn thaw_on_;
  std::map<freeze::Phase, int> phases_;
  Table<SessionRecord> sessions_;  // by uid
  Index guests_;                   // guest -> its sessions' uids
  // Uids of sessions that ended by our own hand, until the watch says so too. True: not named by the relist that runs.
  std::map<std::string, bool> tombstones_;
  Table<SnapshotRecord> snapshots_;  // by uid
  Index epochs_;                     // epoch -> its snapshots' uids
  Index siblings_;                   // uid of a backup -> its snapshots' uids
  Captures captures_;
  bool contents_synced_ = false;
  bool longhorn_synced_ = false;
  std::optional<Mono> synced_since_;
  Table<BackupFacts> backups_;  // by uid
  Index vm_backups_;            // guest -> its backups' uids
  // guest -> the last backup that was deleted after Harvester had frozen for it: the guest may be frozen still.
  std::map<std::string, BackupFacts> deleted_backups_;
  // Labelled backups without a session -> when one of their snapshots was last seen to have a verdict.
  std::map<std::string, Mono> told_;
  Table<VmiRecord> vmis_;                   // by guest
  Mono vmis_complete_since_ = Mono::max();  // no VMI was missed since
  Table<VmFacts> vms_;                      // by guest: with a snapshot of KubeVirt's own
  News news_;
};

}  // namespace snapfreeze::sweeper
