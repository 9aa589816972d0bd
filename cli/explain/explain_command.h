// `snapfreeze explain`: how one backup went, and why its verdict is what it is.
#pragma once

#include "cli/shared/command.h"

namespace snapfreeze::cli {

void add_explain(CLI::App& program, Command& chosen);

}  // namespace snapfreeze::cli
