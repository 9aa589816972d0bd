// Begins a session with its thaw, for a guest that is frozen without a session: its Lease was deleted, or somebody else
// left the guest frozen. Like any session, it is written before the guest is touched.
#pragma once

#include <string>

#include "freeze/session.h"
#include "sweeper/seams.h"

namespace snapfreeze::sweeper {

struct OpenJob {
  enum class Kind {
    kReopen,     // its Lease was deleted: begin it again
    kFindAgain,  // begin nothing: give the session its label back, if it is still there
    kRescue,     // begin it only if the guest, read afresh, still reports frozen and KubeVirt itself does not hold it
  };
  freeze::Session session;
  Kind kind = Kind::kReopen;
  // kRescue: KubeVirt's own freezers that ended since then may yet thaw the guest.
  Wall thaw_due = Wall::max();
};

struct OpenDone {
  bool failed = false;  // again, with backoff; otherwise the watch shows the result
};

OpenDone open(const Seams& seams, const OpenJob& job);

}  // namespace snapfreeze::sweeper
