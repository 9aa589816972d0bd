#include "cli/explain/explain_command.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <fstream>

#include "cli/explain/explain_reads.h"
#include "cli/explain/explain_text.h"
#include "cli/explain/picture.h"
#include "cli/shared/exit_status.h"
#include "cli/shared/look.h"
#include "cli/shared/process.h"
#include "cli/shared/reach.h"

namespace snapfreeze::cli {
namespace {

constexpr char kExplainNotes[] =
    R"(Times come from the API server (whole seconds), the storage and the sweeper. Their clocks may differ, so the verdict does not
rest on them. Events disappear after an hour. If a label is used again and again, the newest backup is explained.

If somebody else has spoiled the verdict, the command says who: another backup, KubeVirt's own snapshot or backup, a VM or pod
that uses the disk. It can name only what still exists.

Examples:
  Why this backup has its verdict:
    snapfreeze explain nightly -n prod
  The same as a picture:
    snapfreeze explain nightly -n prod --svg nightly.svg

Exit status: 0 filesystem or offline; 1 crash, or no verdict; 2 wrong usage; 3 the API server did not answer, or refused; 4 there is
no such backup.)";

struct ExplainCommand {
  AdminOptions admin;
  std::string backup;
  std::string output = "text";
  std::string svg;
};

// Accepts the name of an object or the value of a label, but nothing with a further meaning in a path or a selector.
CLI::Validator backup_name() {
  const auto refuse = [](const std::string& name) {
    const auto alphanumeric = [](unsigned char c) { return std::isalnum(c) != 0; };
    const bool fits = !name.empty() && alphanumeric(name.front()) && std::all_of(name.begin(), name.end(), [&](char c) {
      return alphanumeric(c) || c == '-' || c == '_' || c == '.';
    });
    return fits ? "" : "'" + name + "' is not a valid backup name";
  };
  return {refuse, ""};
}

int run_explain(const ExplainCommand& options) {
  SystemClock clock;
  const auto reached = reach(options.admin);
  if (!reached) return end_with(reached.error());
  Look look(*reached->api, clock);
  const auto facts = read_explain(look, reached->namespace_, options.backup, reached->home.namespace_);
  if (!facts) return end_with(facts.error());
  const Explanation explanation = explain(*facts);
  const std::string picture = to_svg({explanation.lane});
  if (!options.svg.empty()) {
    std::ofstream file(options.svg);
    file << picture;
    if (!file.flush()) {
      std::fprintf(stderr, "snapfreeze: cannot write %s\n", options.svg.c_str());
      return kFinding;
    }
  }
  std::fputs(options.output == "svg" ? picture.c_str() : to_text(explanation, wants_colours()).c_str(), stdout);
  return explanation.consistent() ? kFine : kFinding;
}

}  // namespace

void add_explain(CLI::App& program, Command& chosen) {
  const auto options = std::make_shared<ExplainCommand>();
  CLI::App* command = program.add_subcommand("explain", "Show how a backup went, and why it has its verdict");
  command->footer(kExplainNotes);
  add_admin(*command, options->admin);
  command->add_option("BACKUP", options->backup, "a Harvester backup, or the label's value for other snapshots")
      ->required()
      ->check(backup_name());
  command->add_option("-o,--output", options->output, "text or svg")
      ->check(CLI::IsMember({"text", "svg"}))
      ->capture_default_str();
  command->add_option("--svg", options->svg, "write the picture to this file, beside the text");
  command->callback([options, &chosen] { chosen = [options] { return run_explain(*options); }; });
}

}  // namespace snapfreeze::cli
