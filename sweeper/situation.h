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

// A Harvester backup, and when we saw Harvester work on it, fail last, and complete it; nullopt: not since we came.
struct BackupRecord {
  BackupFacts facts;
  std::vector<Mono> acts;  // the latest ones, in order, kActsApart apart and kMostActs at most
  std::optional<Mono> failed;
  std::optional<Mono> completed;

  // After a silence as long as virt-api waits for a launcher, a freeze of Harvester's may have timed out, which it
  // tries again without a word: that counts as a failure.
  static constexpr std::chrono::seconds kActsApart{2};
  static constexpr std::size_t kMostActs = 64;
  void act(Mono now);
};

// One that was deleted, or that became another guest's.
struct DeletedBackup {
  BackupRecord record;
  Mono at{};
};

// What the watches have shown of a session in this process. What was seen once stays.
struct Sightings {
  Mono first_seen{};
  bool from_birth = false;           // it appeared, young, while we watched: so first_seen is not too late
  Mono phase_since{};                // when its present phase was first seen
  std::optional<Mono> frozen_since;  // when the phase Frozen was first seen
  std::optional<Mono> released;      // when it was first seen in a later phase: thawed since then
  bool vmi_seen = false;
  bool reported_frozen = false;  // by the VMI, while the phase was Frozen
  bool lapsed = false;           // reported frozen, then no more, while the phase was Frozen
  bool agent_lost = false;       // not connected, while the phase was Frozen
  bool migrated = false;
  bool kubevirt_snapshot = false;
  std::optional<std::string> migration_uid;  // the first one seen, of an earlier migration
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
  std::string claim;                // of the disk it is of
  std::optional<std::size_t> hold;  // index into Situation::holds
  std::optional<Observed> captured;
  std::string consistency;  // the verdict, "" when none was given
  std::string reason;
  std::optional<Mono> failed_since;  // its driver said no, and has not captured it
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
  // Snapshots of this epoch, of the session's namespace and created since it began; whatever else carries its label was
  // not admitted to it.
  std::vector<Member> members;
  GuestSituation guest;
  std::vector<DeletedBackup> deleted_backups;  // of this guest, since shortly before the session was first seen
};

// What is known of one snapshot without a session.
struct Evidence {
  SnapshotFacts facts;
  std::optional<Mono> captured;
  bool watched = false;                   // we saw it, its capture and its guest throughout, without a gap
  bool vmi_seen = false;                  // its guest has had a VMI meanwhile that was not off
  std::optional<freeze::Verdict> judged;  // by this process; an annotation may be anybody's
};

// A labelled snapshot whose epoch is no session that we know.
struct Stray {
  Evidence own;
  Mono since{};          // when it was first seen to be one
  bool fresh = false;    // it was news; its backup may be news too, and late
  bool planted = false;  // its epoch is a session of another namespace's guest
  // The Harvester backup that controls it and has it in its list: both, as a tenant can copy an owner reference.
  std::optional<BackupFacts> backup;
  std::vector<Evidence> members;  // of that backup's list, as far as they exist, this one included
};

// A guest that reports to be frozen where no session of ours is.
struct FrozenGuest {
  VmiFacts vmi;
  Mono since{};
  bool freeze_seen = false;           // it froze about then; otherwise it was frozen already when we came
  std::optional<Mono> thawed;         // a session of ours has thawed it, then or later
  bool kubevirt_snapshot = false;     // KubeVirt's own is in progress
  std::vector<BackupRecord> backups;  // of its VM, those that were deleted lately included
};

}  // namespace snapfreeze::sweeper
