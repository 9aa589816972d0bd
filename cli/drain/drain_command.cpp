#include "cli/drain/drain_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/drain/drain.h"
#include "cli/shared/exit_status.h"
#include "cli/shared/process.h"
#include "cli/shared/reach.h"
#include "cli/shared/table.h"

namespace snapfreeze::cli {
namespace {

constexpr std::chrono::seconds kUsualPatience{210};
constexpr std::chrono::seconds kLeastPatience{20};
constexpr std::chrono::hours kMostPatience{1};

constexpr char kDrainNotes[] =
    R"(It takes the webhook's registration away, so that no backup freezes its VM any more. Then it waits until the sweeper has ended
each session, with a verdict. `helm uninstall` runs it as a Job before it removes anything. Meanwhile backups go on without
a freeze. `helm upgrade` restores the registration.

Examples:
  Before snapfreeze is removed by hand:
    snapfreeze drain
  Again, if the registration is already gone:
    snapfreeze drain --system-namespace snapfreeze-system

Exit status: 0 no guest is held, and none will be; 1 some guests are still held after --wait; 2 wrong usage; 3 the API server did
not answer or refused.)";

struct DrainCommand {
  AdminOptions admin;
  std::chrono::seconds wait = kUsualPatience;
};

int say_end(const Drain& result, const std::string& system_namespace) {
  switch (result.end) {
    case Drain::End::kDrained:
      std::puts("No guest is held: snapfreeze can be removed.");
      return kFine;
    case Drain::End::kHeld:
      for (const freeze::Session& session : result.left) {
        std::fprintf(stderr, "snapfreeze: %s/%s is still held (%s), by Lease %s/%s\n", session.namespace_.c_str(),
                     session.vm.c_str(), std::string(to_string(session.phase)).c_str(), system_namespace.c_str(),
                     session.lease.c_str());
      }
      std::fputs(
          "Is a sweeper running? See its log. `snapfreeze thaw` thaws a guest at once; each also thaws by its own "
          "timer.\n",
          stderr);
      return kFinding;
    case Drain::End::kInterrupted:
      std::fputs("snapfreeze: interrupted; guests may still be held\n", stderr);
      return kFinding;
    case Drain::End::kUnreadable:
    case Drain::End::kNotAllowed:
      break;
  }
  return end_with(result.error);
}

int run_drain(const DrainCommand& options) {
  InterruptibleClock interruptible;
  SystemClock& clock = interruptible.clock;
  const auto reached = reach(options.admin);
  if (!reached) return end_with(reached.error());
  if (reached->home.known == Home::Known::kAbsent) {
    // The registration named the namespace. In the wrong one, we would find that no guest is held.
    std::fputs("snapfreeze: the webhook is not registered; --system-namespace must say where snapfreeze is installed\n",
               stderr);
    return kUsage;
  }
  if (reached->home.known == Home::Known::kTold) {
    const auto registered = find_home(*reached->api, "");
    if (!registered) return end_with(registered.error());
    const bool elsewhere =
        registered->known == Home::Known::kRegistered && registered->namespace_ != reached->home.namespace_;
    if (elsewhere) {
      std::fprintf(stderr, "snapfreeze: --system-namespace is %s, but the webhook is registered for namespace %s\n",
                   reached->home.namespace_.c_str(), registered->namespace_.c_str());
      return kUsage;
    }
  }
  const auto say = [](const std::string& words) {
    std::puts(printable(words).c_str());
    std::fflush(stdout);  // who waits wants to see it
  };
  const std::string& home = reached->home.namespace_;
  return say_end(drain(*reached->api, clock, home, options.wait, say), home);
}

}  // namespace

void add_drain(CLI::App& program, Command& chosen) {
  const auto options = std::make_shared<DrainCommand>();
  CLI::App* command =
      program.add_subcommand("drain", "Stop new freezes and wait until no guest is held, before snapfreeze is removed");
  command->footer(kDrainNotes);
  add_admin(*command, options->admin);
  add_seconds(*command, "--wait", options->wait, kLeastPatience, kMostPatience, "how long to wait for sessions to end");
  command->callback([options, &chosen] { chosen = [options] { return run_drain(*options); }; });
}

}  // namespace snapfreeze::cli
