// One session is one frozen guest is one Lease object (coordination.k8s.io/v1) in snapfreeze's own namespace.
//
// Its uid is the epoch and its creationTimestamp the start; it is never used for a second freeze. It is written before
// the guest is touched, and before every later call to the guest, so that whoever reads it after a crash can finish.
//
//   (none) --create--> Freezing --ok--> Frozen --captured | deadline | failure--> Thawing --settled--> (gone)
//                          |                                                        ^  \--unsettled--> Resting -->
//                          (gone)
//                          \---------------- failed, unknown, abandoned ------------/
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace snapfreeze::freeze {

enum class Phase { kFreezing, kFrozen, kThawing, kResting };
[[nodiscard]] std::string_view to_string(Phase phase);

// More disks than a VM can have, and few enough that a Lease has room for them.
inline constexpr int kMaxMembers = 1000;

// A backup for which the guest is held.
struct Hold {
  enum class Kind { kHarvester, kLabel };
  Kind kind = Kind::kHarvester;
  std::string name;  // of the VirtualMachineBackup, or the label's value
  std::string uid;   // of the VirtualMachineBackup; empty for a label
  int members = 0;   // label only: how many snapshots to wait for, kMaxMembers at most; 0: those that were admitted

  // Of one and the same backup, whatever the count.
  [[nodiscard]] bool same_backup(const Hold& other) const {
    return kind == other.kind && name == other.name && uid == other.uid;
  }
  bool operator==(const Hold&) const = default;
};

// A call to the guest, written down before it is made.
struct Intent {
  enum class Call { kNone, kFreeze, kUnfreeze };
  Call call = Call::kNone;
  std::string by;  // who makes it: an admission, or a leader

  bool operator==(const Intent&) const = default;
};

struct Session {
  std::string lease;             // the Lease's name
  std::string uid;               // the epoch; empty before it is created
  std::string resource_version;  // every change carries it
  std::optional<Wall> created;   // the API server's clock, whole seconds, truncated; before the freeze

  std::string namespace_;
  std::string vm;
  std::string vmi_uid;
  std::vector<std::string> claims;  // of the disks that the guest had when the session began: only they are held
  bool windows = false;
  std::chrono::seconds timer{0};  // T, KubeVirt's own timer: at least 1
  std::string holder;             // the admission that began it

  Phase phase = Phase::kFreezing;
  std::vector<Hold> holds;
  Intent intent;
  // Some call was not answered with success, so its effect may come up to 60 s late (see kLateCalls).
  bool unsettled = false;
  // The API server's present when the freeze had answered, bounded from above.
  std::optional<Wall> frozen_by;
  // Reasons against "filesystem" found so far, the first one first; freeze/names.h.
  std::vector<std::string> doubts;
  // What was captured before the thaw was sent: uid of the VolumeSnapshot, and the upper bound of the time between
  // `created` and the moment at which that was observed. Written together with the intent to thaw.
  std::map<std::string, Millis> captured;

  [[nodiscard]] bool has_disk(std::string_view claim) const;
  [[nodiscard]] const Hold* find_hold(const Hold& hold) const;  // by kind, name and uid
  void doubt(std::string_view reason);                          // adds it once
  // It holds nothing and says nothing about a backup, or no longer does: it undoes somebody else's freeze.
  [[nodiscard]] bool only_undoes() const;
};

// A freeze or unfreeze whose reply never came can be carried out this much later: virt-launcher's own time-out.
inline constexpr std::chrono::seconds kLateCalls{60};

// No freeze takes longer: an admission lives 15 s at most. A session that is Freezing for longer was abandoned.
inline constexpr std::chrono::seconds kLongestFreezing{20};

// `<namespace>.<vm>`, or a prefix of it and a hash where that exceeds a name's 253 characters. A namespace has no dot,
// so two guests never share a name.
[[nodiscard]] std::string lease_name(std::string_view ns, std::string_view vm);

// Label by which sessions are listed; the leader's Lease does not carry it.
inline constexpr char kSessionLabel[] = "snapfreeze.harvesterhci.io/session";

// The Lease of a new session, to be created in `own_namespace`.
[[nodiscard]] Json to_lease(const Session& session, std::string_view own_namespace);

// The merge patch that takes the Lease to `session`'s state, valid for its resource_version only.
[[nodiscard]] Json to_patch(const Session& session);

// Reads a Lease. What somebody damaged by hand becomes a session in Thawing with a doubt, so that its guest is thawed
// all the same; kMalformed only when the Lease does not even say which guest it is about.
Result<Session> from_lease(const Json& lease);

}  // namespace snapfreeze::freeze
