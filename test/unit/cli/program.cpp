#include "test/unit/cli/program.h"

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "test/support/catch.h"

namespace test {

Run shell(const std::string& command) {
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  Run run;
  std::array<char, 4096> buffer{};
  while (std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe)) run.said.append(buffer.data(), count);
  const int status = pclose(pipe);
  run.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return run;
}

Run snapfreeze(const std::string& arguments, const std::string& environment, int patience_s) {
  return shell("env -i HOME=/nonexistent " + environment + " timeout " + std::to_string(patience_s) +
               " " SNAPFREEZE " " + arguments);
}

bool says(const Run& run, const std::string& text) {
  return run.said.find(text) != std::string::npos;
}

void check_golden(const std::string& name, const std::string& text) {
  const std::string file = SNAPFREEZE_SOURCE_DIR "/test/unit/cli/testdata/" + name;
  if (std::getenv("SNAPFREEZE_GOLDEN") != nullptr) std::ofstream(file) << text;
  std::ifstream in(file);
  std::stringstream approved;
  approved << in.rdbuf();
  CAPTURE(file);
  CHECK(text == approved.str());
}

}  // namespace test
