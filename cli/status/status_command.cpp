#include "cli/status/status_command.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "cli/shared/exit_status.h"
#include "cli/shared/look.h"
#include "cli/shared/options.h"
#include "cli/shared/output.h"
#include "cli/shared/process.h"
#include "cli/shared/reach.h"
#include "cli/shared/yaml.h"
#include "cli/status/status_reads.h"
#include "cli/status/status_text.h"

namespace snapfreeze::cli {
namespace {

constexpr char kStatusExamples[] = R"(Examples:
  All guests that are frozen now, and the last backups:
    snapfreeze status -A
  Watch a backup go by:
    snapfreeze status -n prod -w
  The verdict of the newest backup, for a script:
    snapfreeze status -n prod --last 1 -o json |
      jq -r '.backups[0].consistency'

NO SESSION: the guest reports that it is frozen, and snapfreeze does not hold it. BACKUPS says who may have frozen it. KubeVirt
reports it up to 5 s late, so the command looks again after 6 s.

Exit status: 0 nothing is wrong; 1 the output could not be written, snapfreeze is not installed, a guest is frozen for longer than its timer allows, or a guest is
frozen and neither snapfreeze nor a KubeVirt snapshot holds it; 2 wrong usage; 3 the API server did not answer, or refused to
show the frozen guests.)";

constexpr Millis kBetweenWatchLooks{2000};
constexpr Millis kLongestBackoff{30000};
constexpr int kMaxFailures = 10;

struct StatusCommand {
  AdminOptions admin;
  std::string output = "table";
  int last = 10;
  bool watch = false;
};

class StatusRun {
 public:
  StatusRun(const StatusCommand& options, const Reached& reached)
      : options_(options),
        reached_(reached),
        reader_(reached.namespace_, reached.home.namespace_, static_cast<std::size_t>(options.last)),
        colours_(wants_colours()),
        terminal_(isatty(STDOUT_FILENO) == 1) {}

  int once(Clock& clock) {
    auto status = look(clock);
    if (status && reader_.doubtful()) {
      if (isatty(STDERR_FILENO) == 1) {
        std::fputs("snapfreeze: a guest reports that it is frozen, but no session holds it. Looking again in 6s.\n",
                   stderr);
      }
      if (clock.wait(kFreezeStatusIsOld)) status = look(clock);
    }
    if (!status) return end_with(status.error());
    show(*status);
    if (status->trouble.empty() && !status->good()) return kFinding;
    return status->complete() ? kFine : kUnreachable;
  }

  // Runs until the clock is stopped. A failure is reported, and retried for a while.
  int watch(Clock& clock) {
    int failures = 0;
    for (Millis wait = kBetweenWatchLooks;;) {
      const auto status = look(clock);
      if (status) {
        failures = 0;
        wait = kBetweenWatchLooks;
        show_change(*status);
      } else {
        if (++failures == kMaxFailures) return end_with(status.error());
        (void)end_with(status.error());
        wait = std::min(wait * 2, kLongestBackoff);
      }
      if (!wait_while_read(clock, wait)) return output_is_lost() ? kFinding : kFine;
    }
  }

 private:
  Result<Status> look(Clock& clock) {
    Look api(*reached_.api, clock);
    const auto facts = reader_.read(api, clock);
    if (!facts) return facts.error();
    return status_of(*facts, static_cast<std::size_t>(options_.last));
  }

  void show(const Status& status) const {
    if (options_.output == "json") {
      std::puts(to_json(status).dump().c_str());
    } else if (options_.output == "yaml") {
      if (options_.watch) std::fputs("---\n", stdout);
      std::fputs(to_yaml(to_json(status)).c_str(), stdout);
    } else {
      std::fputs(to_text(status, {options_.output == "wide", colours_}).c_str(), stdout);
    }
    std::fflush(stdout);
  }

  // A terminal is redrawn each time, as ages change. Other outputs get only what is new.
  void show_change(const Status& status) {
    Status timeless = status;
    timeless.now = {};
    const std::string now = to_json(timeless).dump();
    const bool same = now == shown_;
    shown_ = now;
    const bool table = options_.output == "table" || options_.output == "wide";
    if (terminal_ && table) {
      std::fputs("\033[H\033[2J", stdout);
    } else if (same) {
      return;
    }
    show(status);
  }

  const StatusCommand& options_;
  const Reached& reached_;
  StatusReader reader_;
  const bool colours_;
  const bool terminal_;
  std::string shown_;
};

int run_status(const StatusCommand& options) {
  if (!options.watch) {
    SystemClock clock;
    const auto reached = reach(options.admin);
    return reached ? StatusRun(options, *reached).once(clock) : end_with(reached.error());
  }
  InterruptibleClock interruptible;
  SystemClock& clock = interruptible.clock;
  const auto reached = reach(options.admin);
  return reached ? StatusRun(options, *reached).watch(clock) : end_with(reached.error());
}

}  // namespace

void add_status(CLI::App& program, Command& chosen) {
  const auto options = std::make_shared<StatusCommand>();
  CLI::App* command =
      program.add_subcommand("status", "Show which guests are frozen now, and what recent backups are worth");
  command->footer(kStatusExamples);
  add_admin_of_all(*command, options->admin);
  command->add_option("-o,--output", options->output, "table, wide, json or yaml")
      ->check(CLI::IsMember({"table", "wide", "json", "yaml"}))
      ->capture_default_str();
  command->add_option("--last", options->last, "how many backups to show")
      ->check(whole_number(0, 100000))
      ->capture_default_str();
  command->add_flag("-w,--watch", options->watch, "look again every 2 s until interrupted");
  command->callback([options, &chosen] { chosen = [options] { return run_status(*options); }; });
}

}  // namespace snapfreeze::cli
