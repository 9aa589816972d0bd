// Decides what to do for a snapshot without a session, and for a guest that somebody left frozen. Pure.
#pragma once

#include <optional>
#include <vector>

#include "freeze/policy.h"
#include "sweeper/situation.h"

namespace snapfreeze::sweeper {

// A snapshot whose session is not known may only be ahead of the watch of the Leases.
inline constexpr std::chrono::seconds kStrayGrace{10};

struct StrayPlan {
  enum class Action {
    kWait,         // until `wake`, or until something about it changes
    kForget,       // nothing is left to do
    kJudgeLost,    // read its Lease afresh; if it is gone, the snapshot is crash: session-lost
    kJudge,        // `snapshots` get their verdicts; offline only if a fresh look confirms it
    kJudgeBackup,  // `verdict` is its backup's
    kTell,         // `verdict` was given at admission to a labelled backup, and was not reported yet
  };
  struct Judged {
    SnapshotFacts facts;
    freeze::Verdict verdict;
    bool looked = false;    // by this process, when it gave the verdict; anyone may write an annotation
    std::string version{};  // the snapshot's resourceVersion when it was first seen
  };
  Action action = Action::kWait;
  Mono wake = Mono::max();
  freeze::Verdict verdict;        // of kJudgeBackup and kTell
  std::vector<Judged> snapshots;  // of kJudge; if they are all disks of a backup, the backup gets its verdict, too
};

[[nodiscard]] StrayPlan plan_stray(const Stray& stray, Mono now);

struct RescuePlan {
  bool rescue = false;
  Mono wake = Mono::max();
  std::optional<BackupFacts> backup;  // whose freeze it was
};

// Harvester leaves a guest frozen when its freeze has no timer (0 s), or failed half-way, and no session covers it.
// Only its own freezes are rescued: those during which one of its backups of the guest was unfinished and active, and,
// of guests that were frozen when we began, also those that a backup of the last hour has made without a timer. A
// freeze that lasts for longer than the timers of others is rescued if Harvester may have asked for it at all.
[[nodiscard]] RescuePlan plan_rescue(const FrozenGuest& guest, Observed now, const freeze::Policy& policy);

}  // namespace snapfreeze::sweeper
