// The subcommands. Each adds itself to the program and, if it is chosen, sets the command to run.
#pragma once

#include <functional>

// The header of CLI11 takes longer to compile than any command.
namespace CLI {
class App;
}

namespace snapfreeze::cli {

// Returns the exit status.
using Command = std::function<int()>;

void add_webhook(CLI::App& program, Command& chosen);
void add_sweeper(CLI::App& program, Command& chosen);
void add_status(CLI::App& program, Command& chosen);
void add_thaw(CLI::App& program, Command& chosen);
void add_drain(CLI::App& program, Command& chosen);
void add_check(CLI::App& program, Command& chosen);
void add_explain(CLI::App& program, Command& chosen);
void add_certs(CLI::App& program, Command& chosen);
void add_completion(CLI::App& program, Command& chosen);
void add_version(CLI::App& program, Command& chosen);

}  // namespace snapfreeze::cli
