// The beginning of a session: the only place where an admission touches a guest. Each call to it is written down first,
// and whatever goes wrong leaves a Lease that says what the sweeper must undo.
#pragma once

#include <string>
#include <string_view>

#include "freeze/session.h"
#include "webhook/budget.h"
#include "webhook/seams.h"

namespace snapfreeze::webhook {

struct Began {
  enum class End {
    kFrozen,    // and recorded so: `session` is the session as it is now
    kLostRace,  // somebody else has one of this guest: nothing was touched
    kFailed,    // for `reason`
  };
  End end = End::kFailed;
  freeze::Session session;
  std::string_view reason = "";  // freeze/names.h
  std::string error;             // for the log
  bool on_record = false;        // kFailed: a Lease says that the guest must be thawed, as far as one could be written
};

// No less must be left of the budget when a freeze is sent.
inline constexpr Millis kLeastForFreeze{1000};

// Creates the session, Freezing. For a Harvester backup unfreezes, to clear Harvester's own timer, which ours could not
// replace. Then freezes and records Frozen. `arrival`: of the request, from which Harvester's timer is counted.
Began begin_session(const Seams& seams, freeze::Session session, Mono arrival, const Budget& budget);

}  // namespace snapfreeze::webhook
