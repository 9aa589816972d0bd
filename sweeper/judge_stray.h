// Gives verdicts to snapshots that have no session, and to their backups.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sweeper/seams.h"
#include "sweeper/situation.h"
#include "sweeper/strays.h"

namespace snapfreeze::sweeper {

struct StrayJob {
  SnapshotFacts facts;
  StrayPlan plan;
  std::optional<BackupFacts> backup;
  int failures = 0;  // of this job, until now
};

struct StrayDone {
  enum class End {
    kJudged,  // the verdicts below were written
    kAlive,   // its session exists, and will judge it
    kGone,    // the object no longer exists
    kFailed,  // again, with backoff
  };
  End end = End::kFailed;
  std::vector<std::pair<std::string, freeze::Verdict>> snapshots;  // by uid
  std::optional<freeze::Verdict> backup;
  std::string backup_uid;  // of the job's backup, whatever the result
  bool told = false;       // of a labelled backup: it needs nothing more
};

// For a backup of k disks that are at rest: 4 calls to look, k + 1 verdicts and an Event.
StrayDone judge_stray(const Seams& seams, const Settings& settings, const StrayJob& job);

}  // namespace snapfreeze::sweeper
