#include "cli/thaw/thaw_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/shared/exit_status.h"
#include "cli/shared/process.h"
#include "cli/shared/reach.h"
#include "cli/shared/table.h"
#include "cli/thaw/thaw.h"

namespace snapfreeze::cli {
namespace {

constexpr char kThawNotes[] =
    R"(It is safe at any time, and can be repeated. A backup that has not captured all disks by then is not consistent, and its verdict
says so (crash: thawed-by-hand). For the next minute no backup freezes this VM. KubeVirt's `virt-freezer --unfreeze` also
thaws, but nobody learns of it: do not use it while a backup runs.

Examples:
  Thaw the VM db1 now:
    snapfreeze thaw db1 -n prod

Exit status: 0 thawed, or the VM does not run; 1 KubeVirt refused or did not answer, and the sweeper goes on trying; 2 wrong usage;
3 the API server did not answer or refused, and nothing was touched; 4 there is no such VM.)";

struct ThawCommand {
  AdminOptions admin;
  std::string vm;
};

int say_end(const HandThaw& result, const ThawTarget& target) {
  const std::string guest = target.namespace_ + "/" + target.vm;
  for (const std::string& words : result.did) std::printf("%s: %s\n", guest.c_str(), printable(words).c_str());
  const std::string why = printable(result.error.message);
  switch (result.end) {
    case HandThaw::End::kThawed:
      if (result.crash) std::puts("Its backup will be crash-consistent only (thawed-by-hand).");
      std::puts("For a minute no backup freezes this VM; `snapfreeze status` shows when that is over.");
      return kFine;
    case HandThaw::End::kNotRunning:
      std::printf("%s: not running, so nothing is frozen\n", guest.c_str());
      return kFine;
    case HandThaw::End::kNoSuchVm:
      std::fprintf(stderr, "snapfreeze: there is no VM %s\n", guest.c_str());
      return kNotFound;
    case HandThaw::End::kRefused:
    case HandThaw::End::kUnsettled:
      std::fprintf(stderr, "snapfreeze: %s is not thawed yet: %s; the sweeper goes on trying\n", guest.c_str(),
                   why.c_str());
      return kFinding;
    case HandThaw::End::kNotRecorded:
      break;
  }
  std::fprintf(stderr,
               "snapfreeze: %s was not touched, because the thaw could not be recorded in its session: %s\n"
               "If snapfreeze froze it, its own timer thaws it within a minute.\n",
               guest.c_str(), why.c_str());
  return kUnreachable;
}

int run_thaw(const ThawCommand& options) {
  InterruptibleClock interruptible;
  SystemClock& clock = interruptible.clock;
  const auto reached = reach(options.admin);
  if (!reached) return end_with(reached.error());
  freeze::SessionStore sessions(*reached->api, reached->home.namespace_);
  const ThawTarget target{reached->namespace_, options.vm, reached->home, "by-hand/" + host_name()};
  return say_end(thaw_by_hand({*reached->api, clock, sessions}, target), target);
}

}  // namespace

void add_thaw(CLI::App& program, Command& chosen) {
  const auto options = std::make_shared<ThawCommand>();
  CLI::App* command = program.add_subcommand("thaw", "Thaw a guest now, whatever holds it: the emergency way out");
  command->footer(kThawNotes);
  add_admin(*command, options->admin);
  command->add_option("VM", options->vm, "the virtual machine")->required()->check(vm_name());
  command->callback([options, &chosen] { chosen = [options] { return run_thaw(*options); }; });
}

}  // namespace snapfreeze::cli
