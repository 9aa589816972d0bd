#include "cli/shell/shell_commands.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/shared/exit_status.h"
#include "cli/shared/version.h"
#include "cli/shell/completion.h"
#include "cli/shell/manual.h"

namespace snapfreeze::cli {
namespace {

constexpr char kCompletionNotes[] = R"(Examples:
  In this shell, now:
    source <(snapfreeze completion bash)
  In every new one:
    snapfreeze completion fish \
      > ~/.config/fish/completions/snapfreeze.fish)";

}  // namespace

void add_completion(CLI::App& program, Command& chosen) {
  const auto shell = std::make_shared<std::string>();
  CLI::App* command = program.add_subcommand("completion", "Print a script that completes commands in a shell");
  command->footer(kCompletionNotes);
  command->add_option("SHELL", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([&program, shell, &chosen] {
    chosen = [&program, shell] {
      std::fputs(completion_script(program, *shell).c_str(), stdout);
      return kFine;
    };
  });
  // For the build only.
  CLI::App* manual = program.add_subcommand("manual", "Print the manual page")->group("");
  manual->callback([&program, &chosen] {
    chosen = [&program] {
      std::fputs(manual_page(program, version()).c_str(), stdout);
      return kFine;
    };
  });
}

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
