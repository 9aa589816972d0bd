// Plays histories drawn by seed, and says which promise one of them breaks:
//   simulate [--seed N] [--histories N] [--trace] [--shrink [--save FILE]]
//   simulate --replay FILE...
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "base/log.h"
#include "test/sim/draw.h"
#include "test/sim/promises.h"
#include "test/sim/saved.h"

namespace {

std::uint64_t current_seed = 0;

// A history that ends the program says at least which one it was.
void say_seed(int signal) {
  char text[64];
  const int length = std::snprintf(text, sizeof text, "FAILED   seed %llu ended the process\n",
                                   static_cast<unsigned long long>(current_seed));
  (void)!write(STDOUT_FILENO, text, static_cast<std::size_t>(length));
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

struct Options {
  std::uint64_t seed = 1;
  int histories = 1;
  bool trace = false;
  bool shrink = false;
  std::string save;
  std::vector<std::string> replay;
};

std::vector<std::string> play(std::uint64_t seed, const sim::Plan& plan, bool trace) {
  sim::History history(seed, plan);
  history.play();
  auto broken = sim::broken_promises(history);
  if (trace) std::fputs(history.installation.record().timeline().c_str(), stdout);
  return broken;
}

bool breaks(const std::vector<std::string>& broken, const std::string& promise) {
  return std::any_of(broken.begin(), broken.end(), [&](const auto& one) { return one.starts_with(promise); });
}

// Leaves out whatever the same promise is broken without.
sim::Plan shrunk(std::uint64_t seed, sim::Plan plan, const std::string& promise) {
  for (bool again = true; again;) {
    again = false;
    for (std::size_t i = 0; i < plan.events.size();) {
      sim::Plan smaller = plan;
      smaller.events.erase(smaller.events.begin() + static_cast<std::ptrdiff_t>(i));
      if (breaks(play(seed, smaller, false), promise)) {
        plan = std::move(smaller);
        again = true;
      } else {
        ++i;
      }
    }
  }
  return plan;
}

void print(const sim::Plan& plan) {
  for (const auto& vm : plan.vms) {
    std::printf("         %s: %d disks%s%s%s\n", vm.name.c_str(), vm.disks, vm.running ? "" : ", off",
                vm.windows ? ", Windows" : "", vm.agent ? "" : ", without agent");
  }
  for (const auto& event : plan.events) {
    std::printf("         %8.3f s  %s\n", static_cast<double>(event.at.count()) / 1000, event.what.c_str());
  }
}

// Whether all promises were kept.
bool run(std::uint64_t seed, sim::Plan plan, const Options& options) {
  current_seed = seed;
  const auto broken = play(seed, plan, options.trace && !options.shrink);
  if (broken.empty()) return true;
  std::printf("FAILED   seed %llu\n", static_cast<unsigned long long>(seed));
  for (const std::string& one : broken) std::printf("         %s\n", one.c_str());
  if (options.shrink) {
    plan = shrunk(seed, std::move(plan), broken.front().substr(0, broken.front().find(')') + 1));
    for (const std::string& one : play(seed, plan, false)) std::printf("  still: %s\n", one.c_str());
    print(plan);
    if (options.trace) (void)play(seed, plan, true);
    if (!options.save.empty()) sim::save(options.save, {seed, plan}, broken);
  }
  std::fflush(stdout);
  return false;
}

sim::Saved drawn(std::uint64_t seed) {
  return {seed, sim::draw(seed)};
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Plays histories drawn by seed, and says which promise one of them breaks."};
  app.add_option("--seed", options.seed, "of the first history")->capture_default_str();
  app.add_option("--histories", options.histories, "so many, each of the next seed")->capture_default_str();
  app.add_flag("--trace", options.trace, "print the timeline of each");
  app.add_flag("--shrink", options.shrink, "say which events suffice to break the first promise broken");
  app.add_option("--save", options.save, "with --shrink: write them to this file");
  app.add_option("--replay", options.replay, "play the histories of these files, that --save has written");
  CLI11_PARSE(app, argc, argv);
  snapfreeze::log::configure(snapfreeze::log::Format::kText, snapfreeze::log::Level::kError);
  for (const int signal : {SIGABRT, SIGSEGV}) std::signal(signal, say_seed);
  const auto begin = std::chrono::steady_clock::now();
  int failed = 0;
  if (!options.replay.empty()) options.histories = static_cast<int>(options.replay.size());
  for (int i = 0; i < options.histories; ++i) {
    const sim::Saved next = options.replay.empty() ? drawn(options.seed + static_cast<std::uint64_t>(i))
                                                   : sim::load(options.replay[static_cast<std::size_t>(i)]);
    if (!run(next.seed, next.plan, options)) ++failed;
  }
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("%d histories, %d with a broken promise, %.1f a second\n", options.histories, failed,
              options.histories / took);
  return failed == 0 ? 0 : 1;
}
