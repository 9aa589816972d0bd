// `snapfreeze certs`: the certificates, without a sweeper.
#pragma once

#include "cli/shared/command.h"

namespace snapfreeze::cli {

void add_certs(CLI::App& program, Command& chosen);

}  // namespace snapfreeze::cli
