// What is known of one session, one snapshot without a session, or one guest: the planner's input, plain values.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "freeze/session.h"
#include "freeze/verdict.h"
#include "sweeper/facts.h"
#include "sweeper/world/captures.h"

namespace snapfreeze::sweeper {

// A Harvester backup, and when we saw Harvester work on it, last fail, and complete it; nullopt: not since we started.
struct BackupRecord {
  BackupFacts facts;
  std::vector<Mono> acts;  // in order, at most kMostActs; of those less than kActsApart apart, the first and the latest
  std::optional<Mono> failed;
  std::optional<Mono> completed;
  // What it said at some time, and need not say any more. The annotation tells whether Harvester froze for the last
  // disk only, and anybody may change the deadline.
  bool froze = false;
  bool endless = false;                      // a freeze for it has no timer
  std::optional<Millis> longest_deadline{};  // of those with a timer; nullopt: Harvester's own
  // When it was last seen that one of its disks is cut whose snapshot no webhook of ours has admitted. Harvester has
  // frozen the guest for that one before.
  std::optional<Mono> cut_without_us{};
  std::set<std::string> admitted{};  // its other snapshots, by name, until it is complete
  std::string first_version{};       // its resourceVersion when it was created; "": that was not seen

  // For so long after its creation a finished backup may be why a guest is frozen, and is kept.
  static constexpr std::chrono::hours kKept{1};
  // After a silence as long as virt-api waits for a launcher, a freeze by Harvester may have timed out. Harvester
  // retries it silently, so that counts as a failure.
  static constexpr std::chrono::seconds kActsApart{2};
  static constexpr std::size_t kMostActs = 64;
  void act(Mono now);
  // `missed`: what it said before, since it was created or last seen, was not heard.
  void note(const BackupFacts& said, bool missed = false);
};

// A backup that was deleted, or became another guest's.
struct DeletedBackup {
  BackupRecord record;
  Mono at{};
};

// What the watches have shown of a session in this process. A sighting stays once it is made.
struct Sightings {
  Mono first_seen{};
  bool from_birth = false;           // it appeared, young, while we watched, so first_seen is not too late
  Mono phase_since{};                // when its present phase was first seen
  std::optional<Mono> frozen_since;  // when it was first seen to be frozen
  std::string frozen_version{};      // the first resourceVersion of its Lease that was seen then
  std::optional<Mono> released;      // when it was first seen in a later phase: thawed since then
  bool vmi_seen = false;
  bool reported_frozen = false;  // by the VMI, while it was Frozen or Armed
  bool lapsed = false;           // likewise reported frozen, then no longer
  bool agent_lost = false;       // likewise not connected
  bool migrated = false;
  bool kubevirt_snapshot = false;
  std::optional<std::string> migration_uid;  // the first one seen, of an earlier migration
  // Up to which resourceVersion the watch has told all of the VMI since the session began; "": there may be a gap.
  std::string told_until{};
};

struct HoldSituation {
  freeze::Hold hold;
  std::vector<std::string> names;  // Harvester: the set to wait for; empty when it is not known
  Mono quiet_since{};              // when the hold, or its last new member, was first seen
  bool deleted = false;            // the backup, or a member that had been seen
  std::set<std::string> deleted_names;
  std::map<std::string, freeze::Verdict> elsewhere;  // verdicts of members that have another epoch, by name
};

struct Member {
  std::string uid;
  std::string namespace_;
  std::string name;
  std::string claim;                                      // of its disk
  std::optional<std::size_t> hold;                        // index into Situation::holds
  std::optional<Observed> captured;                       // as an object of the API says
  std::optional<freeze::Verdict> verdict;                 // nullopt: none was given
  std::optional<Mono> failed_since;                       // its driver refused, and has not captured it
  std::optional<Wall> created{};                          // by the API server's clock
  Captures::Source source = Captures::Source::kSnapshot;  // of `captured`
  std::optional<LiveCut> live{};                          // what Longhorn said before any object did
  Confirmed confirmed = Confirmed::kNotYet;               // of `live`
  bool not_confirmed = false;     // once it is judged: no object told of the live cut that thawed the guest
  std::string longhorn_volume{};  // what Longhorn calls its disk; "": it is not on Longhorn, or that is not known yet

  // When it was cut, as far as anyone says: enough to thaw the guest.
  [[nodiscard]] std::optional<Observed> cut() const { return live ? live->seen : captured; }
  // The same, but only if an object of the API says so or bears it out.
  [[nodiscard]] std::optional<Observed> proven_cut() const {
    return live && confirmed == Confirmed::kYes ? live->seen : captured;
  }
};

struct GuestSituation {
  bool known = false;  // the VMIs were listed
  bool gone = false;   // no VMI, another one, or not running
  bool reported_frozen = false;
  bool deleting = false;
  bool migrating = false;
};

struct Situation {
  freeze::Session session;
  Sightings sightings;
  std::vector<HoldSituation> holds;
  // Snapshots of this epoch that are of the session's namespace and were created since it began. Any other snapshot
  // with its label was not admitted to it.
  std::vector<Member> members;
  GuestSituation guest;
  // Harvester's backups of this guest that were unfinished at any time since shortly before the session was first seen,
  // including those that were deleted since.
  std::vector<BackupFacts> backups;
  std::set<std::string> created_later;  // those of them, by uid, that were created after it was frozen
};

// A labelled backup without a session is reported once. A snapshot that comes this soon after belongs to it.
inline constexpr std::chrono::seconds kSameLabel{30};

// What is known of one snapshot without a session.
struct Evidence {
  SnapshotFacts facts;
  std::optional<Mono> captured;
  bool watched = false;                   // we saw it, its capture and its guest throughout, without a gap
  bool vmi_seen = false;                  // its guest has since had a VMI that was not off
  std::optional<freeze::Verdict> judged;  // by this process; anyone may write an annotation
  std::string first_version{};            // its resourceVersion when it was first seen
};

// A labelled snapshot whose epoch is not a session that we know.
struct Stray {
  Evidence own;
  Mono since{};          // when it was first seen to be a stray
  bool fresh = false;    // it is new to us; its backup may be, too, and come later
  bool planted = false;  // its epoch is a session of another namespace's guest
  // The Harvester backup that controls it and lists it. Both must hold, as a tenant can copy an owner reference.
  std::optional<BackupFacts> backup;
  std::vector<Evidence> members;  // those of that backup's list that exist, including this one
  std::optional<Mono> told;       // labelled: when its backup was last reported
};

// A guest that reports that it is frozen, without a session of ours.
struct FrozenGuest {
  VmiFacts vmi;
  Mono since{};
  bool freeze_seen = false;           // it froze about then; otherwise it was already frozen when we started
  Millis mute{0};                     // so long before `since` nobody could ask it
  std::optional<Mono> thawed;         // a session of ours has thawed it, then or later
  bool kubevirt_snapshot = false;     // KubeVirt's own is in progress
  std::vector<BackupRecord> backups;  // of its VM, including those deleted lately
};

}  // namespace snapfreeze::sweeper
