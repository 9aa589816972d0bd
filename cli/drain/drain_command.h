// `snapfreeze drain`: waits until no guest is held, before an upgrade or a removal.
#pragma once

#include "cli/shared/command.h"

namespace snapfreeze::cli {

void add_drain(CLI::App& program, Command& chosen);

}  // namespace snapfreeze::cli
