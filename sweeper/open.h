// Begins a session with its thaw, for a guest that is frozen without a session: its Lease was deleted, or somebody else
// left the guest frozen. Like any session, it is written before the guest is touched.
#pragma once

#include <string>

#include "freeze/session.h"
#include "sweeper/seams.h"

namespace snapfreeze::sweeper {

struct OpenJob {
  freeze::Session session;
  bool rescue = false;  // only if the guest, read afresh, still reports frozen and KubeVirt itself does not hold it
  bool find = false;    // begin nothing: give the session its label back, if it is still there
};

struct OpenDone {
  bool failed = false;  // again, with backoff; otherwise the watch shows the result
};

OpenDone open(const Seams& seams, const OpenJob& job);

}  // namespace snapfreeze::sweeper
