// The admission of one VolumeSnapshot, from the decoded review to the marks that the snapshot gets.
#pragma once

#include <string>
#include <utility>

#include "freeze/policy.h"
#include "webhook/liveness.h"
#include "webhook/outcome.h"
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
  int max_waits = 32;    // admissions that may wait for what others do; likewise
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
        vms_(seams.api, seams.clock, lists_, waits_) {}

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
