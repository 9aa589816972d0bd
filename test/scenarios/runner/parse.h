// Reads a scenario file.
#pragma once

#include <string>

#include "test/scenarios/runner/scenario.h"

namespace runner {

// Throws FileError with file and line if the text is not YAML, if a key is unknown (naming the nearest known one), if a
// value has the wrong form, if the file does not have the VM, backup or disk that it speaks of, or if an expectation is
// missing: each VM needs `freezes` (or `freezes-at-most`), each backup `verdict` and `completes-within`, each snapshot
// `verdict`.
Scenario read_scenario(const std::string& file);

// The same for `text`, the content of `file`.
Scenario parse_scenario(const std::string& text, const std::string& file);

}  // namespace runner
