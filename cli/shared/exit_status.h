// How a command for people ends, so that a script can tell.
#pragma once

namespace snapfreeze::cli {

enum ExitStatus : int {
  kFine = 0,
  kFinding = 1,      // the command did its work, and something is wrong
  kUsage = 2,        // wrong usage
  kUnreachable = 3,  // the API server did not answer, or refused
  kNotFound = 4,     // the named object does not exist
};

}  // namespace snapfreeze::cli
