// How a session ends once its guest is thawed: who else may have thawed it, what each snapshot and each backup is
// worth, an Event, and only then the Lease goes. Each step can be done again by another leader, from the Lease alone.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "freeze/verdict.h"
#include "sweeper/seams.h"
#include "sweeper/situation.h"

namespace snapfreeze::sweeper {

struct ConcludeJob {
  freeze::Session session;  // with all doubts, also those that are not yet in the Lease
  std::vector<HoldSituation> holds;
  std::vector<Member> members;
  std::optional<Millis> frozen_for;  // at most
  int failed_looks = 0;              // for other freezers, until now
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

// So many looks for other freezers may fail before the verdict is crash: unverified; some 12 s with the backoff.
inline constexpr int kMaxLooks = 6;

// For k snapshots of one backup: at most 3 + k + 3 calls when none fails. Any thread.
ConcludeDone conclude(const Seams& seams, const Settings& settings, const ConcludeJob& job);

}  // namespace snapfreeze::sweeper
