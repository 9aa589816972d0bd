// The beginning of a session: the only place where an admission touches a guest. Each call to the guest is written down
// first. Whatever goes wrong leaves a Lease that tells the sweeper what to undo.
#pragma once

#include <string>
#include <string_view>

#include "freeze/session.h"
#include "webhook/budget.h"
#include "webhook/seams.h"

namespace snapfreeze::webhook {

struct Began {
  enum class End {
    kFrozen,    // and recorded: `session` is the session as it is now
    kLostRace,  // somebody else has a session of this guest: nothing was touched
    kFailed,    // for `reason`
  };
  End end = End::kFailed;
  freeze::Session session;
  std::string_view reason = "";  // freeze/reasons.h
  std::string error;             // for the log
  bool on_record = false;        // kFailed: a Lease says that the guest must be thawed, if one could be written
};

// How much of the budget must be left when a freeze is sent.
inline constexpr Millis kLeastForFreeze{1000};

// Creates the session, Freezing. For a Harvester backup, first unfreezes the guest to clear Harvester's own timer,
// which ours could not replace. Then freezes, and records Frozen. `arrival`: when the request arrived, from which
// Harvester's timer is counted.
Began begin_session(const Seams& seams, freeze::Session session, Mono arrival, const Budget& budget);

}  // namespace snapfreeze::webhook
