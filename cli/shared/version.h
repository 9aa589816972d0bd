// The version of this program, as in "0.2.0": scripts/version says how it is made.
#pragma once

namespace snapfreeze::cli {

// Lives as long as the program; safe from every thread.
[[nodiscard]] const char* version();

}  // namespace snapfreeze::cli
