#include "cli/serve/policy_options.h"

#include "base/time.h"

namespace snapfreeze::cli {
namespace {

constexpr char kTimer[] = "--freeze-timeout";
constexpr char kMaxTimer[] = "--max-freeze-timeout";
constexpr std::chrono::minutes kLongestTimer{10};

}  // namespace

void add_timer(CLI::App& app, freeze::Policy& policy) {
  add_seconds(app, kTimer, policy.default_timer, freeze::kMinTimer, kLongestTimer,
              "T, after which KubeVirt thaws the guest by itself");
}

void add_max_timer(CLI::App& app, freeze::Policy& policy) {
  add_seconds(app, kMaxTimer, policy.max_timer, freeze::kMinTimer, kLongestTimer,
              "the longest T that a backup may ask for");
}

void check_timers(const freeze::Policy& policy) {
  if (policy.max_timer >= policy.default_timer) return;
  throw CLI::ValidationError(kMaxTimer, "'" + format_duration(policy.max_timer) + "' must not be below " + kTimer +
                                            ", which is " + format_duration(policy.default_timer));
}

void add_proof(CLI::App& app, freeze::Policy& policy) {
  add_millis(app, "--clock-margin", policy.margin, Millis(0), std::chrono::seconds(10),
             "how far the clocks of several API servers may differ");
  add_seconds(app, "--cool-down", policy.cool_down, std::chrono::seconds(0), std::chrono::minutes(10),
              "how long a guest is left alone after a session that captured nothing or lapsed");
}

}  // namespace snapfreeze::cli
