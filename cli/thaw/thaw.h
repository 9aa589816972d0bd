// The emergency way out: a guest is thawed by hand, and no backup is called consistent that this thaw has cut short.
//
// A good reply to our unfreeze cannot be told from one to the sweeper's, so the session must know before: it is moved
// to Thawing, with a doubt if it held the guest, and with our call as one that may come late. The sweeper then thaws
// once more, gives the verdict, and lets nothing new begin for a minute. A guest without a session gets one that is
// born Thawing, or a backup could begin between our look and our call, and be thawed by it unseen.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/shared/reach.h"
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
  std::string by;  // who calls, as it stands in the record
};

struct HandThaw {
  enum class End {
    kThawed,
    kNotRunning,  // there is nothing to thaw
    kNoSuchVm,
    kRefused,      // by KubeVirt; the sweeper goes on trying
    kUnsettled,    // no reply to any of three calls; likewise
    kNotRecorded,  // the session could not be told, so the guest was not touched
  };
  End end = End::kNotRecorded;
  std::vector<std::string> did;          // in words, in order
  std::optional<freeze::Session> found;  // before it was changed
  bool crash = false;                    // it held the guest: its backups are crash
  Error error;                           // why, unless it is thawed
};

// A freeze that is under way is waited for. Then three attempts at most, each of which writes the record anew; within
// 70 s. The guest's own timer goes on running.
HandThaw thaw_by_hand(const ThawSeams& seams, const ThawTarget& target);

}  // namespace snapfreeze::cli
