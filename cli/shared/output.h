// Whether what a command prints reaches anybody.
#pragma once

#include "base/clock.h"

namespace snapfreeze::cli {

// A write to a reader that is gone fails, and does not end the process.
void outlive_readers();

// Whether the reader of the output is gone, as after `| head`. Prints nothing.
[[nodiscard]] bool output_is_lost();

// Waits, at most until the output is lost, which shows within 0.1 s. False: it is lost, or the clock was stopped.
[[nodiscard]] bool wait_while_read(Clock& clock, Millis wait);

// Writes out what is buffered. Returns `status`, or kFinding if not all of the output could be written, which is said
// on the error output unless the reader has only gone away.
[[nodiscard]] int end_output(int status);

}  // namespace snapfreeze::cli
