// Reads a small file whole.
#pragma once

#include <string>

#include "base/result.h"

namespace snapfreeze {

// kMalformed, naming the file: it cannot be opened or read, or is larger than 4 MiB, which no configuration file is.
Result<std::string> read_file(const std::string& file);

}  // namespace snapfreeze
