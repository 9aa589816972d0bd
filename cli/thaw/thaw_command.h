// `snapfreeze thaw`: thaws a guest by hand.
#pragma once

#include "cli/shared/command.h"

namespace snapfreeze::cli {

void add_thaw(CLI::App& program, Command& chosen);

}  // namespace snapfreeze::cli
