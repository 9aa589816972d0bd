// What the sweeper keeps of each object it watches, and how it is read. Everything else is dropped on the watch's own
// thread, so that thousands of finished backups cost little. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "freeze/session.h"
#include "freeze/verdict.h"
#include "kube/paths.h"
#include "sweeper/world/captures.h"

namespace snapfreeze::sweeper {

// One watch each: a row of the table of watches (watch_of).
enum class Kind { kSession, kSnapshot, kContent, kLonghornSnapshot, kBackup, kVmi, kVm };
inline constexpr int kKinds = 7;

// What counts as the end of a snapshot for the thaw.
enum class ThawOn {
  kCaptured,  // the cut is done, whoever says it first: Longhorn, the content or the VolumeSnapshot
  kReady,     // readyToUse of the VolumeSnapshot, which may come minutes later
};

struct SnapshotFacts {
  std::string uid;
  std::string namespace_;
  std::string name;
  std::string epoch;                 // label: a session's uid, "offline" or "none"
  std::string vm;                    // annotation, "" when it has none
  std::string claim;                 // of the disk it is of
  std::string version;               // its resourceVersion
  std::optional<freeze::Hold> hold;  // the backup that it belongs to
  std::optional<Wall> created;
  bool deleting = false;
  bool untouched = false;                  // no controller has seen it: it has just been created
  bool captured = false;                   // by its own status, as ThawOn asks
  std::optional<Wall> cut;                 // when that was, by the storage's clock
  bool failed = false;                     // its driver said no; it is asked again
  std::optional<freeze::Verdict> verdict;  // nullopt: none was given
};

// Of a VolumeSnapshotContent or a Longhorn snapshot.
struct CaptureFacts {
  std::string snapshot_uid;
  bool captured = false;
  bool failed = false;        // the driver said no; it is asked again
  std::optional<Wall> cut{};  // when it was captured, by the storage's clock
  // What Longhorn calls the volume whose cut is still to come; "" if there is none, or none of Longhorn's. nullopt:
  // this kind of object does not say. See longhorn/ask.h.
  std::optional<std::string> longhorn_volume{};
};

struct BackupFacts {
  std::string uid;
  std::string version{};  // its resourceVersion
  std::string namespace_;
  std::string name;
  std::string vm;
  std::optional<Wall> created;
  std::vector<std::string> snapshot_names;  // the set to wait for
  std::vector<std::string> made;            // those of them that are cut
  std::optional<Millis> deadline;           // of Harvester's freeze; 0: it sets no timer
  bool failed = false;                      // in error, which is no end: Harvester tries again
  std::optional<Wall> error_time;           // of the last attempt that failed
  bool complete = false;
  bool deleting = false;
  bool freeze_decided = false;   // Harvester has said for some disk whether it freezes,
  bool harvester_froze = false;  // and for the last one that it does
  std::optional<freeze::Verdict> verdict;
};

struct VmiFacts {
  std::string uid;
  std::string version{};  // its resourceVersion
  std::string namespace_;
  std::string name;
  bool running = false;
  bool off = false;  // shut down from inside, or crashed: the object is left, nothing runs
  bool deleting = false;
  bool reported_frozen = false;
  bool agent_gone = false;  // the guest agent is not connected
  bool paused = false;
  bool migrating = false;
  std::string migration_uid;  // of the migration under way, or of the last one
};

struct VmFacts {
  std::string namespace_;
  std::string name;
  bool snapshot_in_progress = false;  // KubeVirt's own
};

// monostate: an object of no interest.
using Facts =
    std::variant<std::monostate, freeze::Session, SnapshotFacts, CaptureFacts, BackupFacts, VmiFacts, VmFacts>;

struct Change {
  enum class What { kAdded, kApplied, kDeleted, kRelistStarted, kRelistDone, kNotServed };
  Kind kind = Kind::kSession;
  What what = What::kApplied;
  Facts facts;  // of the first three
};

// What is watched and how it is read: all that is to be said of a kind, but for the room in which world/ keeps it.
struct Watch {
  Kind kind;
  const kube::Resource* resource;
  std::string_view label_selector{};  // "" selects all
  bool own_namespace = false;
  std::string_view namespace_{};             // unless it is our own; "": all
  bool always_lists = false;                 // see kube::Watcher::Options
  bool waits = false;                        // for what tells which of its objects are finished, and need not be kept
  std::optional<Captures::Source> source{};  // its objects say what was captured
  bool only_to_capture = false;              // and nothing else: a sweeper that thaws on ThawOn::kReady does without
  Result<Facts> (*read)(const Json& object, ThawOn thaw_on);
};

[[nodiscard]] const Watch& watch_of(Kind kind);

// An error only for a Lease that does not say which guest it is about.
Result<Facts> facts_of(Kind kind, const Json& object, ThawOn thaw_on);

// Whether a sweeper that thaws on `thaw_on` watches it.
[[nodiscard]] bool is_watched(Kind kind, ThawOn thaw_on);

}  // namespace snapfreeze::sweeper
