// The program with all its subcommands, as it is parsed, helped with, and written into its manual.
#pragma once

#include <memory>
#include <string>

#include "cli/shared/commands.h"

namespace snapfreeze::cli {

// As it was called: "snapfreeze", or "kubectl snapfreeze" when kubectl ran it as its plugin kubectl-snapfreeze.
[[nodiscard]] std::string called_by(const std::string& path);

// Examples are shown with that name. Parsing sets `chosen`, which outlives the program.
[[nodiscard]] std::shared_ptr<CLI::App> make_program(const std::string& name, Command& chosen);

// Parses, and runs what was chosen; the exit status.
int run_program(int argc, char** argv);

}  // namespace snapfreeze::cli
