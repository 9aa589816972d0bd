// What a snapshot and a backup are worth. Pure. When in doubt: crash, with the reason.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "freeze/reasons.h"
#include "freeze/session.h"
#include "kube/views.h"

namespace snapfreeze::freeze {

enum class Consistency {
  kFilesystem,  // every disk was cut during one freeze of the guest's filesystems
  kOffline,     // there was no running guest: disks at rest
  kCrash,       // as after pulling the plug, or not known to be better
};
[[nodiscard]] std::string_view to_string(Consistency consistency);

struct Verdict {
  Consistency consistency = Consistency::kCrash;
  Reason reason{};  // of kCrash; none for the others

  bool operator==(const Verdict&) const = default;
};
[[nodiscard]] Verdict crash(Reason reason);
[[nodiscard]] bool is_crash(const std::optional<Verdict>& verdict);  // not when there is none

// The verdict that stands on an object; nullopt: none does. What is no verdict of ours is `crash: unverified`, since a
// tenant may write what it likes. One that says that it is of another object is none: it was copied with a manifest.
[[nodiscard]] std::optional<Verdict> read_verdict(const kube::Metadata& metadata);

// An annotation as it shall stand on an object; "": it shall not. Its value is also valid as a label's.
struct Note {
  const char* key;
  std::string value;
};
// Of an object with this verdict, or with none: the consistency and the reason, as annotations and as labels.
[[nodiscard]] std::array<Note, 2> notes_of(const std::optional<Verdict>& verdict);

// Of a snapshot of this epoch, by its own uid. `filesystem` only if nothing speaks against the session and its capture
// was observed before the thaw was sent and before T had passed since the start: our timer cannot have thawed the guest
// by then. `margin` is subtracted for the clocks of several API servers.
[[nodiscard]] Verdict judge_snapshot(const Session& session, Millis margin, std::string_view uid);

// Of a backup whose snapshots should be `members`, by what was said of those that exist: the best that holds for all.
// What was said must be of one epoch.
[[nodiscard]] Verdict judge_backup(std::span<const std::string> members,
                                   const std::map<std::string, Verdict>& snapshots);

}  // namespace snapfreeze::freeze
