// A session that begins with its thaw, for a guest that is frozen without one: its Lease was deleted, or somebody else
// left the guest frozen. It is written before the guest is touched, as any other.
#pragma once

#include <string>

#include "freeze/session.h"
#include "sweeper/seams.h"

namespace snapfreeze::sweeper {

struct OpenJob {
  freeze::Session session;
  bool rescue = false;  // only if the guest, read afresh, still reports frozen and KubeVirt itself does not hold it
};

struct OpenDone {
  bool failed = false;  // again, with backoff; otherwise the watch shows what came of it
};

OpenDone open(const Seams& seams, const OpenJob& job);

}  // namespace snapfreeze::sweeper
