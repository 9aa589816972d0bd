// What a command prints: whether it fits, and what happens when it reaches nobody.
#include "cli/shared/output.h"

#include <CLI/CLI.hpp>
#include <sstream>

#include "cli/program.h"
#include "cli/shared/columns.h"
#include "test/support/catch.h"
#include "test/unit/cli/program.h"

namespace {

using snapfreeze::cli::kColumns;
using snapfreeze::cli::within_columns;
using test::Run;
using test::says;

// The words that call each command.
void list_commands(const CLI::App& app, const std::string& words, std::vector<std::string>& all) {
  all.push_back(words);
  for (const CLI::App* const command : app.get_subcommands({})) {
    list_commands(*command, words + command->get_name() + " ", all);
  }
}

TEST_CASE("every help fits 80 columns, under the longer name of the program, too") {
  snapfreeze::cli::Command chosen;
  const auto program = snapfreeze::cli::make_program("kubectl snapfreeze", chosen);
  std::vector<std::string> commands;
  list_commands(*program, "", commands);
  REQUIRE(commands.size() > 12);
  for (const std::string& words : commands) {
    // The longer of the names.
    const Run help =
        test::shell("d=$(mktemp -d) && ln -s " SNAPFREEZE " $d/kubectl-snapfreeze && $d/kubectl-snapfreeze " + words +
                    "--help; s=$?; rm -r $d; exit $s");
    CAPTURE(words);
    CHECK(help.status == 0);
    std::istringstream lines(help.said);
    for (std::string line; std::getline(lines, line);) {
      CAPTURE(line);
      CHECK(line.size() <= kColumns);
    }
  }
  CHECK(says(test::snapfreeze("status --help"), "Exit status: 0 nothing is wrong; 1 "));
  CHECK(says(test::snapfreeze("--help"), "Exit status: 0 fine; 1 "));
}

TEST_CASE("paragraphs are filled, options hang below their description, examples stay") {
  const std::string word(30, 'w');
  const std::string words = word + " " + word + " " + word;
  CHECK(within_columns(words + "\n" + word + "\n\nend\n") ==
        word + " " + word + "\n" + word + " " + word + "\n\nend\n");
  CHECK(within_columns("  -x,--xx TEXT    " + words) ==
        "  -x,--xx TEXT    " + word + " " + word + "\n                  " + word + "\n");
  CHECK(within_columns("    " + words) == "    " + words + "\n");
  CHECK(within_columns("Options:\n  -x\n") == "Options:\n  -x\n");
  const std::string long_word(100, 'l');
  CHECK(within_columns(long_word) == long_word + "\n");
  CHECK(within_columns("").empty());
}

TEST_CASE("output that cannot be written ends every command with 1, and says why") {
  for (const char* command : {"--help", "status --help", "version", "manual", "completion bash"}) {
    CAPTURE(command);
    const Run full = test::shell("(" SNAPFREEZE " " + std::string(command) + " >/dev/full)");
    CHECK(full.status == 1);
    CHECK(full.said.starts_with("snapfreeze: cannot write the output"));
    CHECK(test::shell("(" SNAPFREEZE " " + std::string(command) + " >&-)").status == 1);
  }
}

TEST_CASE("the reason is said where it is known") {
  const Run full = test::shell("(" SNAPFREEZE " version >/dev/full)");
  CHECK(full.said == "snapfreeze: cannot write the output: No space left on device\n");
}

TEST_CASE("a reader that is gone ends a command with 1, and without a word") {
  const Run run = test::shell("bash -c '(sleep 0.2; " SNAPFREEZE " manual; echo ended with $? >&2) | true'");
  CHECK(run.said == "ended with 1\n");
}

}  // namespace
