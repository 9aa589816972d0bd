// The program with all its subcommands, for parsing, help and the manual.
#pragma once

#include <memory>
#include <string>

#include "cli/shared/commands.h"

namespace snapfreeze::cli {

// The name that it was called by: "snapfreeze", or "kubectl snapfreeze" if kubectl ran it as its plugin.
[[nodiscard]] std::string called_by(const std::string& path);

// Examples are shown with that name. Parsing sets `chosen`, which outlives the program.
[[nodiscard]] std::shared_ptr<CLI::App> make_program(const std::string& name, Command& chosen);

// Parses the command line and runs the chosen command. Returns the exit status.
int run_program(int argc, char** argv);

}  // namespace snapfreeze::cli
