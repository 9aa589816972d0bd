// Options that bound how long a guest is frozen.
#pragma once

#include "cli/shared/options.h"

namespace snapfreeze::cli {

// T, and the longest T that a backup may ask for.
void add_timer(CLI::App& app, freeze::Policy& policy);
void add_max_timer(CLI::App& app, freeze::Policy& policy);
// Throws CLI::ValidationError when they contradict each other.
void check_timers(const freeze::Policy& policy);

// How far the clocks of several API servers may differ, and how long a session that went wrong rests.
void add_proof(CLI::App& app, freeze::Policy& policy);

}  // namespace snapfreeze::cli
