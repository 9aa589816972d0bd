// The findings about snapfreeze itself: whether it is registered, trusted, led, and answers. Pure.
#pragma once

#include <vector>

#include "cli/check/check.h"

namespace snapfreeze::cli {

// Whether the Lease alone leaves a doubt. Its times may come from another machine's clock.
[[nodiscard]] bool leader_is_doubtful(const Result<Json>& lease, Wall now);

[[nodiscard]] std::vector<Finding> check_installation(const CheckFacts& facts);

// Judges the reply to a labelled VolumeSnapshot that was made with dryRun=All.
[[nodiscard]] Finding check_dry_run(const Result<Json>& reply);

}  // namespace snapfreeze::cli
