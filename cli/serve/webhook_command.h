// `snapfreeze webhook`: freezes guests when their VolumeSnapshots are admitted, until a signal.
#pragma once

#include "cli/shared/command.h"

namespace snapfreeze::cli {

void add_webhook(CLI::App& program, Command& chosen);

}  // namespace snapfreeze::cli
