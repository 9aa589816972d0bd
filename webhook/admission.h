// The admission of one VolumeSnapshot, from the decoded review to the marks that the snapshot gets.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "freeze/policy.h"
#include "webhook/liveness.h"
#include "webhook/patch.h"
#include "webhook/recent_backups.h"
#include "webhook/review.h"
#include "webhook/seams.h"
#include "webhook/slots.h"
#include "webhook/vm_finder.h"

namespace snapfreeze::webhook {

struct Settings {
  std::string replica;  // unique to this process: the pod's name
  freeze::Policy policy;
  bool observe = false;  // decides and records, but writes no Lease and touches no guest
  int max_freezes = 16;  // sessions that may begin at once; any more are answered "busy"
  int max_waits = 32;    // admissions that may wait for another's session; likewise
};

// What an admission did, for metrics and logs: one of these, or a reason of freeze/reasons.h.
inline constexpr std::string_view kUntouched = "untouched";
inline constexpr std::string_view kFroze = "froze";
inline constexpr std::string_view kJoined = "joined";
inline constexpr std::string_view kNoGuest = "offline";

struct Outcome {
  std::string_view decision;
  std::optional<Marks> marks;  // nullopt: not ours, so only marks that we alone may set are removed
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

  // Returns by `deadline`, or as late as the KubeApi ends a call late. The object is allowed whatever happens.
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
  RecentBackups backups_;
};

}  // namespace snapfreeze::webhook
