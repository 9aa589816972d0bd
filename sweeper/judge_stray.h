// Verdicts of snapshots that have no session, and of their backups.
#pragma once

#include <optional>

#include "sweeper/planner.h"
#include "sweeper/seams.h"
#include "sweeper/situation.h"

namespace snapfreeze::sweeper {

struct StrayJob {
  SnapshotFacts facts;
  StrayPlan plan;
  std::optional<BackupFacts> backup;
};

struct StrayDone {
  enum class End {
    kJudged,  // `verdict` was written, on the snapshot or on its backup
    kAlive,   // its session exists, and will see to it
    kGone,    // the object is not there any more
    kFailed,  // again, with backoff
  };
  End end = End::kFailed;
  freeze::Verdict verdict;
};

StrayDone judge_stray(const Seams& seams, const Settings& settings, const StrayJob& job);

}  // namespace snapfreeze::sweeper
