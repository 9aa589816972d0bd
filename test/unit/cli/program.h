// The program as an admin calls it.
#pragma once

#include <string>

namespace test {

struct Run {
  int status = 0;    // 124: it did not end within the patience
  std::string said;  // on both outputs
};

// Nothing of the tester's own environment, and no configuration to be found.
Run snapfreeze(const std::string& arguments, const std::string& environment = "", int patience_s = 20);
Run shell(const std::string& command);

[[nodiscard]] bool says(const Run& run, const std::string& text);

// Compares with test/unit/cli/testdata/<name>. A wanted change is taken over by running this program with
// SNAPFREEZE_GOLDEN=write.
void check_golden(const std::string& name, const std::string& text);

}  // namespace test
