// Decides what to do for a session. Pure: it depends only on the known world, on what was done so far, and on the time.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "freeze/policy.h"
#include "sweeper/situation.h"

namespace snapfreeze::sweeper {

// If there is no VMI, or another one, the watch of the VMIs may only lag behind that of the Leases.
inline constexpr std::chrono::seconds kWatchLag{5};
// virt-handler polls fsFreezeStatus every 5 s. After two polls a frozen guest reports that it is frozen.
inline constexpr std::chrono::seconds kTwoPolls{11};
// If a driver has refused each missing disk, and captured none for this long since, it will not succeed before T, so
// the guest is released. This is below the promised 8 s, to allow for the news and the thaw.
inline constexpr Millis kDriverPatience{7500};
// How long until a thaw that no reply settles, or a verdict that cannot be written, is given up.
inline constexpr std::chrono::hours kGiveUp{1};

// A cut that only Longhorn itself had told of when the thaw began.
struct UnprovenCut {
  Millis after{};  // as in freeze::Session::captured
  Mono at{};
  bool operator==(const UnprovenCut&) const = default;
};

// The results of a session's calls in this process. Everything else about the session is in the Lease.
struct Progress {
  bool thawed = false;           // a reply settled it
  bool unsettled = false;        // a reply never came
  bool lease_unsettled = false;  // the Lease said so when we thawed
  // It was migrating when it was first thawed, then: thaw again when that is over, or after kGiveUp.
  std::optional<Mono> migrating_since{};
  bool arm_tried = false;
  std::optional<Mono> armed_until;  // we armed it, and its call may leave until then
  // We made the armed call, and could not record it yet: what was captured before it left.
  std::optional<std::map<std::string, Millis>> sent;
  std::vector<freeze::Reason> doubts;
  std::optional<Millis> frozen_for;
  // By uid of the snapshot. It is in this process alone: the cuts of a leader that was replaced prove nothing until
  // they are confirmed and in the Lease.
  std::map<std::string, UnprovenCut> unproven;
  int failed_looks = 0;
  bool told_newer = false;  // that it is left alone
  int failures = 0;         // since the last success
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
    kThaw,      // write the intent and the fields below, then unfreeze
    kConclude,  // give the verdict and end the session
    kEndRest,   // unfreeze again if something is unsettled, then end it
    kAbandon,   // as kConclude or kEndRest, although the thaw was never settled
  };
  Action action = Action::kWait;
  Mono wake = Mono::max();
  // Of kWait: write the intent to thaw ahead, with this as Intent::after. Empty: do not.
  std::vector<std::string> arm_after;

  // Of kThaw.
  std::vector<freeze::Reason> doubts;
  bool unsettled = false;
  bool guest_gone = false;                      // to be read afresh; if it is gone, there is nothing to thaw
  bool look_first = false;                      // read afresh whether the guest reports frozen
  std::map<std::string, Millis> captured;       // as freeze::Session::captured; only when the session begins to thaw
  std::map<std::string, UnprovenCut> unproven;  // likewise; as in Progress
  std::optional<Mono> completed;                // when the last capture was observed, if that is why
  std::optional<Mono> armed_until;              // the call may leave ahead of its record until then
};

// `identity` is ours, as Intent::by.
[[nodiscard]] Plan plan_session(const Situation& situation, const Progress& progress, Observed now,
                                const freeze::Policy& policy, const std::string& identity);

}  // namespace snapfreeze::sweeper
