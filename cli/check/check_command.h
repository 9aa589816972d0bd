// `snapfreeze check`: whether backups of this cluster will be consistent.
#pragma once

#include "cli/shared/command.h"

namespace snapfreeze::cli {

void add_check(CLI::App& program, Command& chosen);

}  // namespace snapfreeze::cli
