// What an admission does about a snapshot whose backup claims a guest. Pure: takes facts, returns one step.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "freeze/guest.h"
#include "freeze/reasons.h"
#include "freeze/session.h"

namespace snapfreeze::webhook {

struct Facts {
  freeze::Hold hold;                       // that the backup has, or would have
  std::string disk;                        // the claim that is snapshotted; "" when the snapshot names none
  std::optional<freeze::Session> session;  // of the guest; read before the rest
  freeze::Guest guest;
  bool exists = false;               // this very snapshot does
  bool other_member = false;         // another snapshot of the present backup exists
  std::optional<Wall> server_clock;  // an upper bound of the API server's time (kube/server_time.h)
};

struct Decision {
  enum class Step {
    kJoin,         // the session has a hold for this backup
    kAddHold,      // the session can hold the guest for this backup as well
    kBegin,        // begin a session
    kWait,         // wait until the session changes
    kAwaitReport,  // wait for a fresh report on the guest, which may have been thawed since; else kFrozenByOther
    kOffline,      // no guest runs: disks at rest, if the sweeper finds that it stayed so
    kCrash,        // allow without a freeze, for `reason`
  };
  Step step = Step::kCrash;
  freeze::Reason reason{};  // of kCrash: freeze/reasons.h

  bool operator==(const Decision&) const = default;
};

// Decides by the session alone, so that a disk that joins costs two reads, or one (recent_backups.h). nullopt: more
// must be known.
[[nodiscard]] std::optional<Decision> decide_early(const freeze::Hold& hold, std::string_view disk,
                                                   const std::optional<freeze::Session>& session);

// Decides by the guest when decide_early says kCoolDown. A guest that is off is not stunned, so its disks are at rest
// all the same. A guest that was not read is not known to be off.
[[nodiscard]] Decision decide_resting(const Facts& facts);

// Decides by the guest, whatever the other facts are. nullopt: it can be frozen, and has the disk.
[[nodiscard]] std::optional<Decision> decide_by_guest(const Facts& facts);

// Decides what both of these leave open.
[[nodiscard]] Decision decide(const Facts& facts);

// The most holds that one session keeps. They fit into a Lease in any case; a further backup waits.
inline constexpr std::size_t kMaxHolds = 64;

// The same label value may be used again the next night. So another labelled snapshot belongs to the present backup
// only if it is so recent that one freeze of `timer` could have covered both. Judged by the API server's clock at its
// latest possible time. A snapshot whose age is not known belongs to it.
[[nodiscard]] bool of_present_backup(std::optional<Wall> created, std::optional<Wall> server_clock,
                                     std::chrono::seconds timer);

// Whether the session is, or is about to be, the freeze of this backup.
[[nodiscard]] bool covers(const std::optional<freeze::Session>& session, const freeze::Hold& hold);

}  // namespace snapfreeze::webhook
