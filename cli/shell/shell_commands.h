// `snapfreeze completion` and `snapfreeze version`; and the hidden `snapfreeze manual`, for the build.
#pragma once

#include "cli/shared/command.h"

namespace snapfreeze::cli {

void add_completion(CLI::App& program, Command& chosen);
void add_version(CLI::App& program, Command& chosen);

}  // namespace snapfreeze::cli
