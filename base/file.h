// A small file, read whole.
#pragma once

#include <string>

#include "base/result.h"

namespace snapfreeze {

// kMalformed, naming the file: cannot be opened or read, or is larger than 4 MiB, which no file of a configuration is.
Result<std::string> read_file(const std::string& file);

}  // namespace snapfreeze
