// How a command for people ends, so that a script can tell.
#pragma once

namespace snapfreeze::cli {

enum ExitStatus : int {
  kFine = 0,
  kFinding = 1,      // it was done, or looked at, and something is wrong
  kUsage = 2,        // it was called in a way that cannot be
  kUnreachable = 3,  // the API server did not answer, or refused
  kNotFound = 4,     // what was named does not exist
};

}  // namespace snapfreeze::cli
