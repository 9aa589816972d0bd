// What a subcommand is. Each has a header of its own, whose function adds it to the program and, if it is chosen, sets
// the command to run.
#pragma once

#include <functional>

// The header of CLI11 takes longer to compile than any command.
namespace CLI {
class App;
}

namespace snapfreeze::cli {

// Returns the exit status.
using Command = std::function<int()>;

}  // namespace snapfreeze::cli
