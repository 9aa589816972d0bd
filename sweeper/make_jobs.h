// From what was planned to the job that carries it out: plain values, filled in from what is known. Pure.
#pragma once

#include <string>

#include "sweeper/job.h"
#include "sweeper/planner.h"
#include "sweeper/situation.h"

namespace snapfreeze::sweeper {

// `identity` is ours, as Intent::by.
[[nodiscard]] ThawJob thaw_job(const Situation& situation, const Plan& plan, const Progress& progress,
                               const std::string& identity);
[[nodiscard]] ArmJob arm_job(const Situation& situation, const Plan& plan, const std::string& identity);
[[nodiscard]] ConcludeJob conclude_job(const Situation& situation, const Progress& progress, Mono now);
[[nodiscard]] EndRestJob end_rest_job(const Situation& situation, bool abandoned, const std::string& identity);

// A session that somebody deleted, begun again to thaw its guest.
[[nodiscard]] OpenJob reopen_job(const freeze::Session& lost, const std::string& identity);
// `backup`: whose freeze it was. `bound`: the API server's present, at most.
[[nodiscard]] OpenJob rescue_job(const FrozenGuest& guest, const BackupFacts& backup, const Settings& settings,
                                 Wall bound);

}  // namespace snapfreeze::sweeper
