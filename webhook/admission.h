// The admission of one VolumeSnapshot: what the design calls steps 1 to 6, from the decoded review to what it is marked
// with.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "freeze/policy.h"
#include "webhook/liveness.h"
#include "webhook/patch.h"
#include "webhook/review.h"
#include "webhook/seams.h"
#include "webhook/slots.h"
#include "webhook/vm_finder.h"

namespace snapfreeze::webhook {

struct Settings {
  std::string replica;  // tells this process from the others: the pod's name
  freeze::Policy policy;
  bool observe = false;  // decides and says so, but writes no Lease and touches no guest
  int max_freezes = 16;  // sessions being begun at once; more are answered "busy"
  int max_waits = 32;    // admissions waiting for another's session; likewise
};

// What an admission did, for metrics and logs; beside these, the reasons of freeze/names.h.
inline constexpr std::string_view kUntouched = "untouched";
inline constexpr std::string_view kFroze = "froze";
inline constexpr std::string_view kJoined = "joined";
inline constexpr std::string_view kNoGuest = "offline";

struct Outcome {
  std::string_view decision;
  std::optional<Marks> marks;  // nullopt: not ours, and only what is ours alone to say is taken from the object
  std::vector<std::string> warnings;
  std::string error;  // what went wrong, for the log
};

// Thread-safe. Starts no thread, holds no lock across a call.
class Admission {
 public:
  Admission(const Seams& seams, const Liveness& sweeper, Settings settings)
      : seams_(seams),
        sweeper_(sweeper),
        settings_(std::move(settings)),
        freezes_(settings_.max_freezes),
        waits_(settings_.max_waits),
        lists_(kMaxLists),
        vms_(seams.api, seams.clock, lists_) {}

  // Returns by `deadline`, give or take the time of a call that the KubeApi ends late. Whatever happens the object is
  // allowed.
  Outcome admit(const Review& review, Mono arrival, Mono deadline);

 private:
  class Run;
  // A page of 100 guests takes some 10 MB while it is read.
  static constexpr int kMaxLists = 2;

  const Seams seams_;
  const Liveness& sweeper_;
  const Settings settings_;
  Slots freezes_;
  Slots waits_;
  Slots lists_;
  VmFinder vms_;
};

}  // namespace snapfreeze::webhook
