// What to do for a session. Pure: the world as it is known, what was done so far, the time; nothing else.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "freeze/policy.h"
#include "sweeper/situation.h"

namespace snapfreeze::sweeper {

// No VMI, or another one, may only mean that the watch of the VMIs lags behind that of the Leases.
inline constexpr std::chrono::seconds kWatchLag{5};
// virt-handler polls fsFreezeStatus every 5 s: after two polls a guest that is frozen reports so.
inline constexpr std::chrono::seconds kTwoPolls{11};
// A driver that has refused each missing disk, and captured none for so long since, will not come round before T: the
// guest is released. Below 8 s, which is what is promised, by what the news and the thaw take.
inline constexpr Millis kDriverPatience{7500};
// A thaw that no reply settles, and a verdict that cannot be written, are given up after so long.
inline constexpr std::chrono::hours kGiveUp{1};

// What became of a session's calls in this process; everything else about it is in the Lease.
struct Progress {
  bool thawed = false;           // a reply settled it
  bool unsettled = false;        // a reply never came
  bool lease_unsettled = false;  // the Lease said so when we thawed
  bool migrating = false;        // it was migrating when it was thawed: thaw again when that is over
  std::vector<std::string> doubts;
  std::optional<Millis> frozen_for;
  int failed_looks = 0;
  int failures = 0;  // since the last success
  Mono not_before{};
  std::optional<Mono> failing_since;
};

// It has failed for kGiveUp.
[[nodiscard]] bool given_up(const Progress& progress, Mono now);

// 0.2 s, doubling to 30 s.
[[nodiscard]] Millis backoff(int failures);

struct Plan {
  enum class Action {
    kWait,      // until `wake`, or until something about it changes
    kThaw,      // write the intent and what is below, then unfreeze
    kConclude,  // give the verdict and end the session
    kEndRest,   // unfreeze once more if something is unsettled, then end it
    kAbandon,   // as kConclude or kEndRest, although the thaw was never settled
  };
  Action action = Action::kWait;
  Mono wake = Mono::max();

  // Of kThaw.
  std::vector<std::string> doubts;
  bool unsettled = false;
  bool guest_gone = false;                 // to be read afresh; if so there is nothing to thaw
  bool look_first = false;                 // whether the guest reports frozen is to be read afresh
  std::map<std::string, Millis> captured;  // as freeze::Session::captured; only when the session begins to thaw
  std::optional<Mono> completed;           // when the last capture was observed, if that is why
};

// `identity` is ours, as Intent::by.
[[nodiscard]] Plan plan_session(const Situation& situation, const Progress& progress, Observed now,
                                const freeze::Policy& policy, const std::string& identity);

}  // namespace snapfreeze::sweeper
