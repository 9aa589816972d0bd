// One session is one frozen guest, and one Lease object (coordination.k8s.io/v1) in snapfreeze's own namespace.
//
// Its uid is the epoch and its creationTimestamp the start. It is never used for a second freeze. It is written before
// the guest is touched, and before every later call to the guest, so that anyone who reads it after a crash can finish.
//
//   (none) --create--> Freezing --ok--> Frozen --captured | deadline | failure--> Thawing --settled--> (gone)
//     |                  |                |                                       ^^^ | ^
//     |                  |                \--armed--> Armed --likewise------------/|| | |
//     |                  \-- failed, unknown, abandoned ---------------------------/| | |
//     \-- only to undo a freeze ----------------------------------------------------/ | |
//                                        (gone) <--over-- Resting <--must rest--------/ |
//                                                          \-- frozen anew -------------/
//
// A session must rest if a call is unsettled, if its freeze may have ended early, or if it captured nothing. A resting
// session thaws again if Harvester has frozen the guest since, or if an admin thaws it.
//
// Armed is Frozen, with the intent to thaw written ahead: the leader that `intent.by` names may thaw the guest without
// another write, once all the snapshots that `intent.after` names are captured, and then says so by Thawing. Anyone
// else cannot know whether it has, but knows two things. The guest was still frozen when those were captured, so they
// count as in Frozen; a capture of any other snapshot does not. And the call may come late, so the session rests. See
// sweeper/arming.h. A version that does not know Armed takes the record for damaged: it thaws, and all is "crash".
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "freeze/reasons.h"

namespace snapfreeze::freeze {

// kNewer: of a format that only a newer version of snapfreeze knows. Such a session is left alone: its guest is neither
// frozen nor thawed, and its Lease is not written. Only its names and times are read.
enum class Phase { kFreezing, kFrozen, kArmed, kThawing, kResting, kNewer };
[[nodiscard]] std::string_view to_string(Phase phase);
// Frozen or Armed: the freeze was answered, and no thaw is on record as made.
[[nodiscard]] bool is_frozen(Phase phase);
// The guest is frozen, or is about to be.
[[nodiscard]] bool holds_guest(Phase phase);
// The guest is thawed, or is about to be. Of kNewer neither is known.
[[nodiscard]] bool releases_guest(Phase phase);

// More disks than a VM can have, and few enough to fit into a Lease.
inline constexpr int kMaxMembers = 1000;

// A backup for which the guest is held.
struct Hold {
  enum class Kind { kHarvester, kLabel };
  Kind kind = Kind::kHarvester;
  std::string name;  // of the VirtualMachineBackup, or the label's value
  std::string uid;   // of the VirtualMachineBackup; empty for a label
  int members = 0;   // label only: how many snapshots to wait for, kMaxMembers at most; 0: those that were admitted

  // Whether both are of one backup, whatever the count.
  [[nodiscard]] bool same_backup(const Hold& other) const {
    return kind == other.kind && name == other.name && uid == other.uid;
  }
  bool operator==(const Hold&) const = default;
};

// A call to the guest, written down before it is made.
struct Intent {
  enum class Call { kNone, kFreeze, kUnfreeze };
  Call call = Call::kNone;
  std::string by;  // the caller: an admission, a leader, or an admin
  // Armed only: the call is not made before all these VolumeSnapshots, by uid, are captured.
  std::vector<std::string> after{};

  bool operator==(const Intent&) const = default;
};

struct Session {
  std::string lease;             // the Lease's name
  std::string uid;               // the epoch; empty before it is created
  std::string resource_version;  // every change carries it
  std::optional<Wall> created;   // before the freeze; the API server's clock, truncated to seconds

  // It has the label by which sessions are found. The next change restores it if somebody has removed it.
  bool listed = true;

  std::string namespace_;
  std::string vm;
  std::string vmi_uid;
  std::vector<std::string> claims;  // the guest's disks when the session began; only they are held
  bool windows = false;
  std::chrono::seconds timer{0};  // T, KubeVirt's own timer: at least 1
  std::string holder;             // the admission that began it

  Phase phase = Phase::kFreezing;
  std::vector<Hold> holds;
  Intent intent;
  // A call was not answered with success, so its effect may come late (see kLateCalls).
  bool unsettled = false;
  // The resourceVersion of the Lease when it was created, so before the freeze; "" before it is frozen. What has
  // happened since is found again from there (kube/replay.h).
  std::string version_before;
  // An upper bound of the API server's time when the freeze was answered.
  std::optional<Wall> frozen_by;
  // The reasons against "filesystem" found so far, in order; see freeze/reasons.h.
  std::vector<Reason> doubts;
  // What was captured before the thaw was sent: the VolumeSnapshot's uid, and an upper bound of the time from `created`
  // until the capture was observed. Written together with the intent to thaw.
  std::map<std::string, Millis> captured;

  [[nodiscard]] bool has_disk(std::string_view claim) const;
  // True also if they were not written down, by an older version.
  [[nodiscard]] bool may_have_disk(std::string_view claim) const { return claims.empty() || has_disk(claim); }
  [[nodiscard]] const Hold* find_hold(const Hold& hold) const;  // by kind, name and uid
  void doubt(Reason reason);                                    // adds it once
  // It only undoes somebody else's freeze: it holds no guest and judges no backup, or no longer does.
  [[nodiscard]] bool only_undoes() const;
};

// How late a freeze or unfreeze that got no reply may still be carried out: virt-launcher's own time-out.
inline constexpr std::chrono::seconds kLateCalls{60};

// No freeze takes longer, as an admission ends after 15 s. A session that is Freezing for longer was abandoned.
inline constexpr std::chrono::seconds kLongestFreezing{20};

}  // namespace snapfreeze::freeze
