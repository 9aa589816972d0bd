// What is made from the text of --help: the manual page, and the completion of shells.
#include "cli/shell/manual.h"

#include "cli/program.h"
#include "cli/shell/completion.h"
#include "test/support/catch.h"
#include "test/unit/cli/program.h"

namespace {

using snapfreeze::cli::called_by;
using snapfreeze::cli::Command;
using snapfreeze::cli::completion_script;
using snapfreeze::cli::make_program;
using snapfreeze::cli::manual_page;
using test::Run;
using test::says;

// A program of odd texts.
CLI::App odd_program() {
  return CLI::App("It's \"odd\"\n.not a macro", "odd");
}

TEST_CASE("the manual names every command and every option") {
  Command chosen;
  const auto program = make_program("snapfreeze", chosen);
  const std::string page = manual_page(*program, "1.2.3");
  CHECK(page.starts_with(".TH SNAPFREEZE 1 \"\" \"snapfreeze 1.2.3\"\n.SH NAME\nsnapfreeze \\- "));
  for (const CLI::App* const command : program->get_subcommands({})) {
    if (command->get_group().empty()) continue;
    CAPTURE(command->get_name());
    CHECK(page.find("\n.SS " + command->get_name() + "\n") != std::string::npos);
    for (const CLI::Option* const option : command->get_options()) {
      std::string name = option->get_lnames().empty() ? "" : option->get_lnames().front();
      if (name == "help" || name.empty()) continue;
      for (std::size_t at = 0; (at = name.find('-', at)) != std::string::npos; at += 2) name.insert(at, "\\");
      CAPTURE(name);
      CHECK(page.find("\\-\\-" + name) != std::string::npos);
    }
  }
  CHECK(page.find("SS manual") == std::string::npos);
}

TEST_CASE("what would be a command of roff is text") {
  CLI::App program = odd_program();
  program.footer(".PP or\n    an example \\ with a -dash");
  const std::string page = manual_page(program, "1");
  CHECK(page.find("\n\\&.not a macro\n") != std::string::npos);
  CHECK(page.find("\n\\&.PP or\n.nf\n    an example \\e with a \\-dash\n.fi\n") != std::string::npos);
}

TEST_CASE("the manual is one that man can read") {
  if (test::shell("command -v man").status != 0) return;
  const Run page = test::shell(SNAPFREEZE " manual | MANWIDTH=100 man -l -");
  CHECK(page.status == 0);
  CHECK(says(page, "--dry-run-snapshot"));
  const Run warnings = test::shell("(" SNAPFREEZE " manual | man --warnings -l - >/dev/null)");
  CHECK(warnings.said.empty());
}

// What bash would offer for these words.
std::string offered(const std::string& words, int at) {
  const Run run = test::shell("bash -c 'source <(" SNAPFREEZE " completion bash); COMP_WORDS=(" + words +
                              "); COMP_CWORD=" + std::to_string(at) + "; _snapfreeze; echo \"${COMPREPLY[*]}\"'");
  CHECK(run.status == 0);
  return run.said;
}

TEST_CASE("bash completes commands, options and values") {
  CHECK(offered("snapfreeze st", 1) == "status\n");
  CHECK(offered("snapfreeze status -o \"\"", 3) == "table wide json yaml\n");
  CHECK(offered("snapfreeze status --output y", 3) == "yaml\n");
  CHECK(offered("snapfreeze check --dry", 2) == "--dry-run-snapshot\n");
  CHECK(offered("snapfreeze certs ro", 2) == "rotate\n");
  CHECK(offered("snapfreeze certs show --conn", 3) == "--connect\n");
  CHECK(offered("snapfreeze completion z", 2) == "zsh\n");
  CHECK(offered("snapfreeze thaw --snap", 2) == "\n");
}

TEST_CASE("zsh and fish are offered the same") {
  Command chosen;
  const auto program = make_program("snapfreeze", chosen);
  const std::string zsh = completion_script(*program, "zsh");
  CHECK(zsh.starts_with("#compdef snapfreeze"));
  CHECK(zsh.find("\"status/--output\"|\"status/-o\") compadd -- table wide json yaml; return ;;") != std::string::npos);
  CHECK(zsh.find("path=") == std::string::npos);  // which is $PATH there
  const std::string fish = completion_script(*program, "fish");
  CHECK(
      fish.find("complete -c snapfreeze -n '__fish_seen_subcommand_from status' -l output -s o -x -a 'table wide json "
                "yaml'") != std::string::npos);
  CHECK(fish.find("-n '__fish_seen_subcommand_from certs; and __fish_seen_subcommand_from show' -l connect") !=
        std::string::npos);
  CHECK(fish.find("webhook\\'s") != std::string::npos);
}

TEST_CASE("as a plugin of kubectl it calls itself so") {
  CHECK(called_by("/usr/bin/snapfreeze") == "snapfreeze");
  CHECK(called_by("kubectl-snapfreeze") == "kubectl snapfreeze");
  CHECK(called_by("/opt/krew/kubectl-snapfreeze") == "kubectl snapfreeze");
  const Run run = test::shell("d=$(mktemp -d) && ln -s " SNAPFREEZE
                              " $d/kubectl-snapfreeze && $d/kubectl-snapfreeze "
                              "status --help; rm -r $d");
  CHECK(says(run, "Usage: kubectl snapfreeze status"));
  CHECK(says(run, "\n    kubectl snapfreeze status -A\n"));
  CHECK_FALSE(says(run, "\n    snapfreeze"));
}

}  // namespace
