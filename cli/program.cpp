#include "cli/program.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "cli/certs/certs_command.h"
#include "cli/check/check_command.h"
#include "cli/drain/drain_command.h"
#include "cli/explain/explain_command.h"
#include "cli/serve/sweeper_command.h"
#include "cli/serve/webhook_command.h"
#include "cli/shared/columns.h"
#include "cli/shared/exit_status.h"
#include "cli/shared/output.h"
#include "cli/shell/shell_commands.h"
#include "cli/status/status_command.h"
#include "cli/thaw/thaw_command.h"

namespace snapfreeze::cli {
namespace {

constexpr char kName[] = "snapfreeze";
constexpr char kPlugin[] = "kubectl-snapfreeze";

constexpr char kNotes[] =
    R"(An environment variable that the help names can replace the option: SNAPFREEZE_LOG_FORMAT is --log-format.

Exit status: 0 fine; 1 the command did its work, and something is wrong: its own help says what; or the output could not be
written; 2 wrong usage; 3 the API server did not answer, or refused; 4 there is no such VM or backup.)";

class FittedHelp : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override {
    return within_columns(CLI::Formatter::make_help(app, std::move(name), mode));
  }
};

// Lines of examples begin with the command.
void name_examples(CLI::App& app, const std::string& name) {
  const std::string line = std::string("\n    ") + kName + " ";
  std::string footer = app.get_footer();
  for (std::size_t at = 0; (at = footer.find(line, at)) != std::string::npos; at += line.size()) {
    footer.replace(at + 5, line.size() - 6, name);
  }
  app.footer(footer);
  for (CLI::App* const command : app.get_subcommands({})) name_examples(*command, name);
}

std::string names_of(const CLI::App& program) {
  std::string names;
  for (const CLI::App* const command : program.get_subcommands({})) {
    if (command->get_group().empty()) continue;  // hidden
    names += (names.empty() ? "" : ", ") + command->get_name();
  }
  return names;
}

// From 2.4 on, CLI11 silently ignores a value of the environment that it would refuse on the command line.
void refuse_environment(CLI::App& app) {
  for (CLI::Option* const option : app.get_options()) {
    const std::string variable = option->get_envname();
    const char* const value = variable.empty() || option->count() > 0 ? nullptr : std::getenv(variable.c_str());
    if (value == nullptr || *value == '\0') continue;
    option->add_result(value);
    option->run_callback();
  }
  for (CLI::App* const command : app.get_subcommands()) refuse_environment(*command);
}

}  // namespace

std::string called_by(const std::string& path) {
  const std::string file = path.substr(path.rfind('/') + 1);
  return file == kPlugin ? "kubectl snapfreeze" : kName;
}

std::shared_ptr<CLI::App> make_program(const std::string& name, Command& chosen) {
  auto program = std::make_shared<CLI::App>(
      "Freezes a guest's filesystems while its disks are captured, and says what the backup is worth.", name);
  program->formatter(std::make_shared<FittedHelp>());  // before the commands, which take it over
  program->footer(kNotes);
  add_status(*program, chosen);
  add_thaw(*program, chosen);
  add_drain(*program, chosen);
  add_check(*program, chosen);
  add_explain(*program, chosen);
  add_certs(*program, chosen);
  add_webhook(*program, chosen);
  add_sweeper(*program, chosen);
  add_completion(*program, chosen);
  add_version(*program, chosen);
  if (name != kName) name_examples(*program, name);
  return program;
}

namespace {

int run(int argc, char** argv) {
  Command chosen;
  const auto program = make_program(called_by(argc > 0 ? argv[0] : kName), chosen);
  try {
    program->parse(argc, argv);
    refuse_environment(*program);
    // CLI11's own check would come before its message about an unknown subcommand.
    if (!chosen) throw CLI::RequiredError("One of " + names_of(*program));
    return chosen();
  } catch (const CLI::ParseError& error) {
    // Help is also a ParseError.
    return program->exit(error) == 0 ? kFine : kUsage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", kName, error.what());
    return kFinding;
  }
}

}  // namespace

int run_program(int argc, char** argv) {
  outlive_readers();
  return end_output(run(argc, argv));
}

}  // namespace snapfreeze::cli
