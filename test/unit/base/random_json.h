// Documents and texts of every kind, by seed.
#pragma once

#include <random>
#include <string>

#include "base/json.h"

namespace test {

// 0 to 12 characters of valid UTF-8, of all lengths, control characters, quotes and NUL among them.
std::string random_text(std::mt19937& random);

// 0 to 12 bytes of any value.
std::string random_bytes(std::mt19937& random);

// At most `depth` levels.
snapfreeze::Json random_json(std::mt19937& random, int depth = 6);

bool same(const snapfreeze::Json& a, const snapfreeze::Json& b);

}  // namespace test
