#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/check/check_reads.h"
#include "cli/shared/commands.h"
#include "cli/shared/exit_status.h"
#include "cli/shared/look.h"
#include "cli/shared/process.h"
#include "cli/shared/yaml.h"

namespace snapfreeze::cli {
namespace {

constexpr char kCheckNotes[] =
    R"(Nothing is changed, and no guest is touched. "?" marks what could not be checked, with the reason.

Examples:
  After the installation:
    snapfreeze check -A
  What a backup of this VM would do now, and who stands in its way:
    snapfreeze check --vm db1 -n prod
  Whether the API server calls the webhook (in a pod: helm test):
    snapfreeze check --dry-run-snapshot -n prod

Exit status: 0 fine, warnings included; 1 an error; 2 wrong usage; 3 no error, but not everything could be checked, or the API
server did not answer; 4 there is no such VM.)";

struct CheckCommand {
  AdminOptions admin;
  CheckScope scope;
  std::string vm;
  std::string output = "table";
  bool dry_run = false;
};

int show_findings(const std::vector<Finding>& findings, const std::string& output) {
  if (output == "json") {
    std::puts(to_json(findings).dump().c_str());
  } else if (output == "yaml") {
    std::fputs(to_yaml(to_json(findings)).c_str(), stdout);
  } else {
    std::fputs(to_text(findings, wants_colours()).c_str(), stdout);
  }
  if (has(findings, Finding::Level::kError)) return kFinding;
  return has(findings, Finding::Level::kUnknown) ? kUnreachable : kFine;
}

Result<std::vector<Finding>> check_everything(const CheckCommand& options, const Reached& reached, Clock& clock) {
  CheckScope scope = options.scope;
  scope.namespace_ = reached.namespace_;
  scope.home = reached.home;
  Look look(*reached.api, clock);
  const auto facts = read_check(look, clock, scope);
  if (!facts) return facts.error();
  std::vector<Finding> findings = check_cluster(*facts);
  const auto add = [&](const std::vector<Finding>& more) { findings.insert(findings.end(), more.begin(), more.end()); };
  add(check_installation(*facts));
  add(check_access(facts->access));
  add(check_vms(*facts));
  return findings;
}

int run_check(const CheckCommand& options) {
  SystemClock clock;
  const auto reached = reach(options.admin);
  if (!reached) return end_with(reached.error());
  if (options.dry_run) return show_findings({try_dry_run(*reached->api, reached->namespace_)}, options.output);
  if (!options.vm.empty()) {
    Look look(*reached->api, clock);
    const auto foretold = read_foretold(look, clock, reached->home, reached->namespace_, options.vm);
    return foretold ? show_findings(*foretold, options.output) : end_with(foretold.error());
  }
  const auto findings = check_everything(options, *reached, clock);
  return findings ? show_findings(*findings, options.output) : end_with(findings.error());
}

}  // namespace

void add_check(CLI::App& program, Command& chosen) {
  const auto options = std::make_shared<CheckCommand>();
  CLI::App* command = program.add_subcommand("check", "Check that everything is in order, and say what to do if not");
  command->footer(kCheckNotes);
  add_admin_of_all(*command, options->admin);
  command->add_option("--vm", options->vm, "say only what a backup of that VM would do now, and why")->check(vm_name());
  command->add_flag("--dry-run-snapshot", options->dry_run,
                    "say only whether a VolumeSnapshot made with dryRun=All comes back with the webhook's mark");
  command->add_option("-o,--output", options->output, "table, json or yaml")
      ->check(CLI::IsMember({"table", "json", "yaml"}))
      ->capture_default_str();
  add(*command, "--webhook-account", options->scope.webhook_account, "service account of the webhook");
  add(*command, "--sweeper-account", options->scope.sweeper_account, "service account of the sweeper");
  add(*command, "--connect", options->scope.connect, "HOST:PORT of a webhook: also compare what it serves");
  command->callback([options, &chosen] { chosen = [options] { return run_check(*options); }; });
}

}  // namespace snapfreeze::cli
