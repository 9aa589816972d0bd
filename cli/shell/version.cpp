#include "cli/shared/version.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/shared/commands.h"

namespace snapfreeze::cli {

void add_version(CLI::App& program, Command& chosen) {
  CLI::App* command = program.add_subcommand("version", "Print the version");
  command->callback([&chosen] {
    chosen = [] {
      std::printf("snapfreeze %s\n", version());
      return 0;
    };
  });
}

}  // namespace snapfreeze::cli
