// How a session ends once its guest is thawed: a fresh look at who else may have thawed it or has its disks, what each
// snapshot and each backup is worth, an Event, and only then the Lease goes. Each step can be done again by another
// leader, from the Lease alone.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "freeze/verdict.h"
#include "sweeper/look.h"
#include "sweeper/seams.h"
#include "sweeper/situation.h"

namespace snapfreeze::sweeper {

struct ConcludeJob {
  freeze::Session session;  // with all doubts, also those that are not yet in the Lease
  std::vector<HoldSituation> holds;
  std::vector<Member> members;  // those of other namespaces are ignored
  // Harvester backups of this VM that the watch has shown unfinished since the session began. One that a fresh look
  // does not find was deleted, and counts.
  std::vector<freeze::Freezer> seen_backups;
  // The uid of the last migration, "" for none, when the watch saw the guest first; nullopt: it never did.
  std::optional<std::string> migration_uid;
  // One that began after the thaw was settled, shared with other sessions of the namespace. nullptr: look ourselves.
  std::shared_ptr<const Look> look;
  std::optional<Millis> frozen_for;  // at most
  int failed_looks = 0;              // until now
  bool patient = true;               // try again what is refused; otherwise leave it out
  bool last_try = false;             // leave out what fails
  bool abandoned = false;            // the thaw was never settled: say so, and end the session all the same
};

struct ConcludeDone {
  enum class End {
    kEnded,    // the Lease is gone
    kResting,  // nothing new may begin for a while
    kFailed,   // again, with backoff
    kReplan,   // the session is not what we took it for
  };
  End end = End::kFailed;
  freeze::Session session;  // as the API server last showed it to us
  bool gone = false;        // with kReplan: there is no such session any more
  bool look_failed = false;
  // What was written, by uid.
  std::vector<std::pair<std::string, freeze::Verdict>> snapshots;
  std::vector<std::pair<std::string, freeze::Verdict>> backups;
};

// So many looks may fail before the verdict is crash: unverified; some 12 s with the backoff.
inline constexpr int kMaxLooks = 6;

// Whether the verdict hangs on a fresh look: not when there is a doubt already.
[[nodiscard]] bool needs_look(const ConcludeJob& job);
[[nodiscard]] LookJob look_for(const ConcludeJob& job);

// For k snapshots of one backup: at most 5 + k + 3 calls when none fails. Others of its VM that may have acted cost one
// call for each of their snapshots, 64 at most. Any thread.
ConcludeDone conclude(const Seams& seams, const Settings& settings, const ConcludeJob& job);

}  // namespace snapfreeze::sweeper
