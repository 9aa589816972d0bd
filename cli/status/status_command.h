// `snapfreeze status`: the guests that are frozen now, and the latest backups.
#pragma once

#include "cli/shared/command.h"

namespace snapfreeze::cli {

void add_status(CLI::App& program, Command& chosen);

}  // namespace snapfreeze::cli
