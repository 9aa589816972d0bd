// snapfreeze: consistent VM backups for Harvester and KubeVirt.
#include <cstdio>
#include <exception>

#include "cli/commands.h"

int main(int argc, char** argv) {
  using namespace snapfreeze::cli;
  CLI::App program("Freezes a guest's filesystems while its disks are captured, and says what the backup is worth.",
                   "snapfreeze");
  program.footer("Each option can also be given as an environment variable: --log-format is SNAPFREEZE_LOG_FORMAT.");
  Command chosen;
  add_webhook(program, chosen);
  add_sweeper(program, chosen);
  add_certs(program, chosen);
  add_version(program, chosen);
  try {
    program.parse(argc, argv);
    // CLI11's own check comes before its word about an unknown subcommand.
    if (!chosen) throw CLI::RequiredError("One of webhook, sweeper, certs and version");
    return chosen();
  } catch (const CLI::ParseError& error) {
    return program.exit(error);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "snapfreeze: %s\n", error.what());
    return 1;
  }
}
