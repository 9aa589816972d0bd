// What a snapshot and a backup are worth. Pure. When in doubt: crash, with the reason.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "freeze/interference.h"
#include "freeze/session.h"

namespace snapfreeze::freeze {

enum class Consistency {
  kFilesystem,  // every disk was cut during one freeze of the guest's filesystems
  kOffline,     // there was no running guest: disks at rest
  kCrash,       // as after pulling the plug, or not known to be better
};
[[nodiscard]] std::string_view to_string(Consistency consistency);

struct Verdict {
  Consistency consistency = Consistency::kCrash;
  std::string reason;  // freeze/names.h; "" for the first two

  bool operator==(const Verdict&) const = default;
};
[[nodiscard]] Verdict crash(std::string_view reason);

// Of a snapshot of this epoch, by its own uid. `filesystem` only if nothing speaks against the session and its capture
// was observed in time (see proof_window) and before the thaw was sent.
[[nodiscard]] Verdict judge_snapshot(const Session& session, const Proof& proof, std::string_view uid);

// Of a backup whose snapshots should be `members`, by what was said of those that exist: the best that holds for all.
// What was said must be of one epoch.
[[nodiscard]] Verdict judge_backup(std::span<const std::string> members,
                                   const std::map<std::string, Verdict>& snapshots);

}  // namespace snapfreeze::freeze
