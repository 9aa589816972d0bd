// `snapfreeze sweeper`: thaws guests and judges backups, until a signal.
#pragma once

#include "cli/shared/command.h"

namespace snapfreeze::cli {

void add_sweeper(CLI::App& program, Command& chosen);

}  // namespace snapfreeze::cli
