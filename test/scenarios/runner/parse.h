// Reads a scenario file.
#pragma once

#include <string>

#include "test/scenarios/runner/scenario.h"

namespace runner {

// Throws FileError with file and line for what is no YAML, an unknown key (with the nearest known one), a value of
// another form, a VM, backup or disk that the file does not have, and what has no expectation: each VM needs `freezes`
// (or `freezes-at-most`), each backup `verdict` and `completes-within`, each snapshot `verdict`.
Scenario read_scenario(const std::string& file);

// Of the text that stands in `file`.
Scenario parse_scenario(const std::string& text, const std::string& file);

}  // namespace runner
