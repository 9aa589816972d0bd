// snapfreeze: consistent VM backups for Harvester and KubeVirt.
#include "cli/program.h"

int main(int argc, char** argv) {
  return snapfreeze::cli::run_program(argc, argv);
}
