// The call that thaws a guest. Written down before it is made, and made only while we are sure to be the leader until
// its time-out, so that neither a stale view of the world nor a leader that was replaced can touch a guest.
#pragma once

#include <optional>
#include <string>

#include "freeze/session.h"
#include "sweeper/seams.h"
#include "sweeper/world/captures.h"

namespace snapfreeze::sweeper {

struct ThawJob {
  // As it shall be written: Thawing (or Resting, for the last thaw of all), with all that is to be on record.
  freeze::Session session;
  // The world says that the guest is gone: read it afresh, and if so, there is nothing to thaw.
  bool guest_gone = false;
  // It has been frozen for so long that it must report so: read it afresh before it is thawed, as the watch may be
  // silent. When that cannot be told within kLook, it is thawed with a doubt.
  bool look_first = false;
  std::optional<Mono> frozen_since;  // when it was seen to be frozen; nullopt: it was already when we came
  std::optional<Mono> completed;     // for the metric: when the last capture was observed
};

struct ThawDone {
  enum class End {
    kSettled,    // thawed, or nothing is left to thaw
    kUnsettled,  // no reply, or a failure: it may still be carried out. Again, with backoff
    kRefused,    // by a guest that is there and runs, or we may not. Again, with backoff
    kNotMade,    // the record could not be written, or we do not lead: again, with backoff
    kReplan,     // the session is not what we took it for
  };
  End end = End::kNotMade;
  // The session as the API server last showed it to us, and what the call has added in doubts and unsettledness.
  freeze::Session session;
  bool gone = false;                 // with kReplan: there is no such session any more
  std::optional<Millis> frozen_for;  // with kSettled: at most
};

inline constexpr Millis kLook{500};

// At most 4 calls, within 21 s. Any thread.
ThawDone thaw(const Seams& seams, const ThawJob& job);

enum class GuestState { kThere, kGone, kUnknown };

// Read afresh. Gone: no VMI, another one than the session's, or one that does not run.
GuestState look_at_guest(kube::KubeApi& api, const freeze::Session& session);

// After a write of `session` was refused as outdated: what it is now; gone, or not to be told.
ThawDone read_again(const Seams& seams, const freeze::Session& session);

}  // namespace snapfreeze::sweeper
