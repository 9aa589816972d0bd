// Verdicts of snapshots that have no session, and of their backups.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

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
    kJudged,  // what was written stands below
    kAlive,   // its session exists, and will see to it
    kGone,    // the object is not there any more
    kFailed,  // again, with backoff
  };
  End end = End::kFailed;
  // What was written, by uid.
  std::vector<std::pair<std::string, freeze::Verdict>> snapshots;
  std::optional<std::pair<std::string, freeze::Verdict>> backup;
};

StrayDone judge_stray(const Seams& seams, const Settings& settings, const StrayJob& job);

}  // namespace snapfreeze::sweeper
