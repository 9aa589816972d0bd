// The call that thaws a guest. It is written down before it is made, and made only while we are sure to be the leader
// until its time-out. So neither a stale view of the world nor a leader that was replaced can touch a guest.
//
// The intent of an armed session was written ahead (sweeper/arming.h). There the call leaves at once, and the record of
// what was captured beside it. If that record cannot be written, the captures are kept until it can.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "freeze/session.h"
#include "sweeper/seams.h"
#include "sweeper/world/captures.h"

namespace snapfreeze::sweeper {

struct ThawJob {
  // The session as it will be written: Thawing (or Resting, for the last thaw), with everything that must be on record.
  freeze::Session session;
  // The guest seems to be gone. It is read afresh; if it is gone, there is nothing to thaw.
  bool guest_gone = false;
  // The guest has been frozen for so long that it must report it. It is read afresh before it is thawed, as the watch
  // may be silent. If that takes longer than kLook, it is thawed with a doubt.
  bool look_first = false;
  std::optional<Mono> frozen_since;  // when it was seen to be frozen; nullopt: it was already frozen when we started
  std::optional<Mono> completed;     // for the metric: when the last capture was observed
  std::vector<std::string_view> sources{};  // likewise: who said of each capture first
  std::optional<Mono> armed_until{};        // the call may leave ahead of this record until then
  bool was_sent = false;                    // it has left ahead of this record, in an earlier attempt
};

struct ThawDone {
  enum class End {
    kSettled,    // thawed, or nothing is left to thaw
    kUnsettled,  // no reply, or a failure: it may still be carried out. Again, with backoff
    kRefused,    // by a guest that exists and runs, or we may not. Again, with backoff
    kNotMade,    // the record could not be written, or we do not lead. Again, with backoff
    kReplan,     // the session has changed since we planned
    // The armed call was made, its record could not be written. `session` is what it should say. Again, with backoff
    kUnrecorded,
  };
  End end = End::kNotMade;
  // The session as the API server last showed it, with the doubts that the call added, and whether it is unsettled.
  freeze::Session session;
  bool gone = false;                 // with kReplan: the session no longer exists
  std::optional<Millis> frozen_for;  // with kSettled: at most
};

inline constexpr Millis kLook{500};

// At most 4 calls, within 21 s; if the record of an armed call meets with conflicts, up to 6 more. Any thread.
ThawDone thaw(const Seams& seams, const ThawJob& job);

enum class GuestState { kThere, kGone, kUnknown };

// Reads the guest afresh. Gone: there is no VMI, or it does not run, or it came after the session's freeze.
GuestState look_at_guest(kube::KubeApi& api, const freeze::Session& session);

// After a write of `session` was refused as outdated, reads it again: its present state, gone, or not known.
ThawDone read_again(const Seams& seams, const freeze::Session& session);

}  // namespace snapfreeze::sweeper
