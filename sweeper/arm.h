// Writes the intent to thaw ahead; see sweeper/arming.h.
#pragma once

#include "freeze/session.h"
#include "sweeper/seams.h"

namespace snapfreeze::sweeper {

// For so long after its intent was written the armed call may leave. After a longer wait for the storage the record
// may as well come first, and the shorter this is, the less can have become of the session meanwhile.
inline constexpr std::chrono::seconds kArmedFor{2};

struct ArmJob {
  freeze::Session session;  // as it will be written: Armed
};

struct ArmDone {
  enum class End {
    kArmed,
    kNotArmed,  // no matter: the thaw writes its record first
    kReplan,    // the session has changed since we planned
  };
  End end = End::kNotArmed;
  freeze::Session session;  // as the API server last showed it
  bool gone = false;        // with kReplan: the session no longer exists
  Mono until{};             // with kArmed: when the armed call must have left
};

// At most 2 calls. The thaw waits for it, so the write is given up after a second. Any thread.
ArmDone arm(const Seams& seams, const ArmJob& job);

}  // namespace snapfreeze::sweeper
