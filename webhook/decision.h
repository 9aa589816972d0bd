// What an admission does about a snapshot whose backup claims a guest. Pure: facts in, one step out.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"
#include "freeze/guest.h"
#include "freeze/session.h"

namespace snapfreeze::webhook {

struct Facts {
  freeze::Hold hold;                       // that the backup has, or would have
  std::optional<freeze::Session> session;  // of the guest; read before the others
  freeze::Guest guest;
  bool exists = false;               // this very snapshot
  bool other_member = false;         // another snapshot of the same backup exists
  std::optional<Wall> server_clock;  // upper bound of the API server's present (kube/server_time.h)
};

struct Decision {
  enum class Step {
    kJoin,     // the session has a hold for this backup
    kAddHold,  // the session can hold the guest for this backup as well
    kBegin,    // a session
    kUndo,     // leave a session that only thaws: Harvester has just frozen for a disk that exists already
    kWait,     // for the session to become something else
    kOffline,  // no guest: disks at rest, if the sweeper finds that it stayed so
    kCrash,    // allow, without a freeze, for `reason`
  };
  Step step = Step::kCrash;
  std::string_view reason = "";  // of kCrash and kUndo: freeze/names.h

  bool operator==(const Decision&) const = default;
};

// What the session alone decides, so that a disk that joins costs two reads; nullopt: more must be known.
[[nodiscard]] std::optional<Decision> decide_early(const freeze::Hold& hold,
                                                   const std::optional<freeze::Session>& session);

// Of facts that decide_early leaves open.
[[nodiscard]] Decision decide(const Facts& facts);

// Whether the session is, or is about to be, the freeze of this backup.
[[nodiscard]] bool covers(const std::optional<freeze::Session>& session, const freeze::Hold& hold);

}  // namespace snapfreeze::webhook
