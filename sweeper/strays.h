// What to do for what has no session: snapshots whose epoch is none, and guests that somebody left frozen. Pure.
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
    kJudgeLost,    // read its Lease afresh; when that is gone, the snapshot is crash: session-lost
    kJudge,        // `snapshots` get their verdicts; offline only if a fresh look bears it out
    kJudgeBackup,  // `verdict` is its backup's
    kTell,         // `verdict` was given at admission to a labelled backup, and nobody has heard of it
  };
  struct Judged {
    SnapshotFacts facts;
    freeze::Verdict verdict;
    bool looked = false;  // by this process, when it gave the verdict; an annotation may be anybody's
  };
  Action action = Action::kWait;
  Mono wake = Mono::max();
  freeze::Verdict verdict;        // of kJudgeBackup and kTell
  std::vector<Judged> snapshots;  // of kJudge; when they are all disks of a backup, that gets its verdict with them
};

[[nodiscard]] StrayPlan plan_stray(const Stray& stray, Mono now);

struct RescuePlan {
  bool rescue = false;
  Mono wake = Mono::max();
  std::optional<BackupFacts> backup;  // whose freeze it was
};

// Harvester leaves a guest frozen when its freeze has no timer (0 s), or failed half-way, and no session covers it.
// Only its own freezes are rescued: those during which one of its backups of the guest was unfinished and active.
[[nodiscard]] RescuePlan plan_rescue(const FrozenGuest& guest, Observed now, const freeze::Policy& policy);

}  // namespace snapfreeze::sweeper
