#include "test/unit/cli/texts.h"

#include <algorithm>

namespace test {

snapfreeze::Json parsed(const std::string& text) {
  std::string quoted = text;
  std::replace(quoted.begin(), quoted.end(), '\'', '"');
  return *snapfreeze::Json::parse(quoted);
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace test
