#include "test/sim/thaws.h"

#include <algorithm>
#include <optional>

#include "test/sim/callers.h"

namespace sim {
namespace {

using namespace std::chrono_literals;
using cluster::FrozenInterval;
using cluster::Mono;

// KubeVirt's timer counts whole seconds, and the guest takes its time to thaw.
constexpr auto kGranularity = 1s;

class Thaws {
 public:
  explicit Thaws(History& history) : history_(history), truth_(history.cluster.truth()) {}

  std::vector<std::string> broken() {
    guests_are_thawed();
    return std::move(broken_);
  }

 private:
  void fail(int promise, const std::string& what) { broken_.push_back("(" + std::to_string(promise) + ") " + what); }
  [[nodiscard]] std::string when(Mono at) const {
    return " at " + std::to_string(truth_.since_start(at) / 1000) + " s";
  }

  void guests_are_thawed();
  void thawed_by_its_timer(const std::string& vm, const FrozenInterval& interval);
  [[nodiscard]] std::optional<std::chrono::seconds> timer_of(const std::string& vm,
                                                             const FrozenInterval& interval) const;

  History& history_;
  cluster::Truth& truth_;
  std::vector<std::string> broken_;
};

// What KubeVirt was told by the last freeze that it may have been.
std::optional<std::chrono::seconds> Thaws::timer_of(const std::string& vm, const FrozenInterval& interval) const {
  const std::string caller = interval.frozen_by.substr(0, interval.frozen_by.find(' '));
  std::optional<std::chrono::seconds> longest;
  for (const auto& entry : truth_.timeline()) {
    if (entry.kind != "call" || entry.object != vm || entry.at > interval.from) continue;
    if (!entry.detail.starts_with("freeze ") || !entry.detail.ends_with(" by " + caller)) continue;
    const auto number = entry.detail.find(":\"");
    const std::chrono::seconds timer(std::stoi(entry.detail.substr(number + 2)));
    const bool late = interval.frozen_by.ends_with("(late)");
    longest = late ? std::max(longest.value_or(timer), timer) : timer;
  }
  return longest;
}

void Thaws::thawed_by_its_timer(const std::string& vm, const FrozenInterval& interval) {
  if (!interval.whole || history_.hindered.contains(vm.substr(vm.find('/') + 1))) return;
  const auto timer = timer_of(vm, interval);
  if (!timer) return fail(2, vm + " was frozen by nobody's call" + when(interval.from));
  const auto& vms = history_.plan().vms;
  const auto options =
      std::find_if(vms.begin(), vms.end(), [&](const auto& one) { return vm == one.ns + "/" + one.name; });
  const auto length = interval.until.value_or(history_.runtime.now()) - interval.from;
  if (length <= *timer + 2 * options->thaw_latency + options->freeze_latency + kGranularity) return;
  fail(2, vm + " was frozen for " + std::to_string(std::chrono::duration_cast<Millis>(length).count()) +
              " ms by a freeze of " + std::to_string(timer->count()) + " s" + when(interval.from));
}

void Thaws::guests_are_thawed() {
  for (const auto& options : history_.plan().vms) {
    const std::string vm = options.ns + "/" + options.name;
    for (const FrozenInterval& interval : truth_.intervals(vm)) {
      if (is_ours(interval.frozen_by)) thawed_by_its_timer(vm, interval);
      // Of Harvester's own freeze only its backup tells; and a guest whose owner opted out is left to it.
      const bool left_alone = options.annotations.contains("snapfreeze.harvesterhci.io/skip") ||
                              history_.undoable.contains(options.name) || history_.restored;
      const bool unknowable = !is_ours(interval.frozen_by) && left_alone;
      if (!interval.until && !unknowable) {
        fail(2, vm + " is frozen at the end, by " + interval.frozen_by + when(interval.from));
      }
    }
  }
}

}  // namespace

std::vector<std::string> broken_thaws(History& history) {
  return Thaws(history).broken();
}

}  // namespace sim
