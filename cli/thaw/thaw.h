// The emergency way out: thaws a guest by hand, and makes sure that no backup that this thaw cuts short is called
// consistent.
//
// A successful reply to our unfreeze looks like one to the sweeper's, so the session must know before. It is moved to
// Thawing, with a doubt if it held the guest, and with our call as one that may come late. The sweeper then thaws
// again, gives the verdict, and lets nothing new begin for a minute. A guest without a session gets one that is born
// Thawing. Otherwise a backup could begin between our look and our call, which would thaw it unseen.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/shared/home.h"
#include "freeze/session_store.h"
#include "kube/api.h"

namespace snapfreeze::cli {

struct ThawSeams {
  kube::KubeApi& api;
  Clock& clock;
  freeze::SessionStore& sessions;  // on the same `api`
};

struct ThawTarget {
  std::string namespace_;
  std::string vm;
  Home home;
  std::string by;  // the caller, as the record names it
};

struct HandThaw {
  enum class End {
    kThawed,
    kNotRunning,  // there is nothing to thaw
    kNoSuchVm,
    kRefused,      // by KubeVirt; the sweeper goes on trying
    kUnsettled,    // no reply to any of three calls; the sweeper goes on trying
    kNotRecorded,  // the session could not be written, so the guest was not touched
  };
  End end = End::kNotRecorded;
  std::vector<std::string> did;          // in words, in order
  std::optional<freeze::Session> found;  // before it was changed
  bool crash = false;                    // it held the guest: its backups are crash
  Error error;                           // why, unless it is thawed
};

// Waits for a freeze that is under way. Then makes at most three attempts, each of which writes the record anew, within
// 70 s in all. The guest's own timer goes on running.
HandThaw thaw_by_hand(const ThawSeams& seams, const ThawTarget& target);

}  // namespace snapfreeze::cli
