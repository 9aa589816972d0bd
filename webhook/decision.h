// What an admission does about a snapshot whose backup claims a guest. Pure: facts in, one step out.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "freeze/guest.h"
#include "freeze/session.h"

namespace snapfreeze::webhook {

struct Facts {
  freeze::Hold hold;                       // that the backup has, or would have
  std::string disk;                        // the claim that the snapshot is of; "" when it names none
  std::optional<freeze::Session> session;  // of the guest; read before the others
  freeze::Guest guest;
  bool exists = false;               // this very snapshot
  bool other_member = false;         // another snapshot of the same backup, and of the present one, exists
  std::optional<Wall> server_clock;  // upper bound of the API server's present (kube/server_time.h)
};

struct Decision {
  enum class Step {
    kJoin,     // the session has a hold for this backup
    kAddHold,  // the session can hold the guest for this backup as well
    kBegin,    // a session
    kWait,     // for the session to become something else
    kOffline,  // no guest: disks at rest, if the sweeper finds that it stayed so
    kCrash,    // allow, without a freeze, for `reason`
  };
  Step step = Step::kCrash;
  std::string_view reason = "";  // of kCrash: freeze/names.h

  bool operator==(const Decision&) const = default;
};

// What the session alone decides, so that a disk that joins costs two reads; nullopt: more must be known.
[[nodiscard]] std::optional<Decision> decide_early(const freeze::Hold& hold, std::string_view disk,
                                                   const std::optional<freeze::Session>& session);

// What the guest decides, whatever else there is; nullopt: it can be frozen, and has the disk.
[[nodiscard]] std::optional<Decision> decide_by_guest(const Facts& facts);

// Of facts that both of these leave open.
[[nodiscard]] Decision decide(const Facts& facts);

// More holds are not kept in one session: a Lease has room for so many in any case, and who asks for more waits.
inline constexpr std::size_t kMaxHolds = 64;

// A label's value may come again the next night. So another labelled snapshot counts as of the present backup only if
// it was created so lately that one freeze, of `timer`, could have covered both. By the API server's own clock, and at
// its latest possible present; what cannot be told counts.
[[nodiscard]] bool of_present_backup(std::optional<Wall> created, std::optional<Wall> server_clock,
                                     std::chrono::seconds timer);

// Whether the session is, or is about to be, the freeze of this backup.
[[nodiscard]] bool covers(const std::optional<freeze::Session>& session, const freeze::Hold& hold);

}  // namespace snapfreeze::webhook
