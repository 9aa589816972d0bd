// Ends a session that had to rest. When no call can be carried out late any more, its guest is thawed again.
#pragma once

#include "freeze/session.h"
#include "sweeper/seams.h"

namespace snapfreeze::sweeper {

struct EndRestJob {
  freeze::Session session;  // in Resting
  bool abandoned = false;
};

struct EndRestDone {
  enum class End {
    kEnded,
    kUnsettled,  // rest again
    kFailed,     // again, with backoff
    kReplan,
  };
  End end = End::kFailed;
  freeze::Session session;
  bool gone = false;
};

EndRestDone end_rest(const Seams& seams, const Settings& settings, const EndRestJob& job);

// Says in the log and in an Event that the guest may still be frozen.
void say_never_settled(const Seams& seams, const Settings& settings, const freeze::Session& session);

}  // namespace snapfreeze::sweeper
