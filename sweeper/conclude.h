// Ends a session once its guest is thawed: takes a fresh look at who else may have thawed the guest or has its disks,
// judges each snapshot and each backup, writes an Event, and only then deletes the Lease. Another leader can repeat
// each step from the Lease alone.
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
  // How long after Longhorn's own word each capture was confirmed that `session` has and its Lease has not yet. They
  // are written to the Lease before any verdict rests on them: another leader could not know of them.
  std::vector<Mono::duration> confirmed_after;
  // Harvester backups of this VM that the watch has shown as unfinished since the session began. If a fresh look does
  // not find one of them, it was deleted, and counts.
  std::vector<freeze::Freezer> seen_backups;
  // The uid of the last migration, "" for none, when the watch first saw the guest; nullopt: it never did.
  std::optional<std::string> migration_uid;
  // Up to which version the watch has told of the guest; "": it left something out.
  std::string guest_told_until;
  // A look that began after the thaw was settled, shared with other sessions of the namespace. nullptr: take our own.
  std::shared_ptr<const Look> look;
  std::optional<Millis> frozen_for;  // at most
  int failed_looks = 0;              // so far
  bool patient = true;               // retry writes that are refused; otherwise leave them out
  bool last_try = false;             // leave out writes that fail
  bool abandoned = false;            // the thaw was never settled: say so, and still end the session
};

struct ConcludeDone {
  enum class End {
    kEnded,    // the Lease is gone
    kResting,  // nothing new may begin for a while
    kFailed,   // again, with backoff
    kReplan,   // the session has changed since we planned
  };
  End end = End::kFailed;
  freeze::Session session;  // as the API server last showed it
  bool gone = false;        // with kReplan: the session no longer exists
  bool look_failed = false;
  // What was written, by uid.
  std::vector<std::pair<std::string, freeze::Verdict>> snapshots;
  std::vector<std::pair<std::string, freeze::Verdict>> backups;
};

// How many looks may fail before the verdict is crash: unverified. With the backoff, some 12 s.
inline constexpr int kMaxLooks = 6;

// Whether the verdict depends on a fresh look. It does not if there is already a doubt.
[[nodiscard]] bool needs_look(const ConcludeJob& job);
[[nodiscard]] LookJob look_for(const ConcludeJob& job);

// For k snapshots of one backup: at most 5 + k + 3 calls when none fails. Other backups of its VM that may have acted
// cost one call for each of their snapshots, 64 at most. Any thread.
ConcludeDone conclude(const Seams& seams, const Settings& settings, const ConcludeJob& job);

}  // namespace snapfreeze::sweeper
