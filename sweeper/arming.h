// The armed thaw: which thaws are written down ahead, and what holds for a session whose thaw was. Pure.
//
// The record of a thaw costs a round trip to the API server, longer than all else between the last capture and the
// call. So while only cuts are waited for, the leader writes the intent ahead (Frozen becomes Armed), with the
// snapshots that it waits for. At the last capture the call leaves at once, and its record at the same time.
//
// - A backup is not blocked: an admission joins an Armed session as it joins a Frozen one. Arming is tried once.
// - No guest stays frozen: an Armed session is planned like a Frozen one by whoever leads, and has the same timer. If
//   the record cannot follow the call, the next attempt writes it first, and calls again.
// - Never a false "filesystem":
//   * The armed call leaves only when the API's objects say of each snapshot in `after` that it is captured. Longhorn's
//     own word is not enough, as nobody could tell later that it was wrong. So whenever the call was made, and whether
//     or not its sender lived to say so, it was after those cuts. Another leader, or a later process, claims those
//     captures and no others: a backup that joined, or a further snapshot of a label, may have been cut after the call.
//   * What the sender claims is fixed when the call leaves, and kept until the record says it (Progress::sent). If
//     another backup joined just then, its disks are not among them.
//   * Nobody arms what was armed before, since that would hide a call that may still come.
//   * The call leaves within kArmedFor of its intent, while its sender leads until its time-out, and before the
//     deadline: no later after its intent than any other call. If the record then finds another session of the guest,
//     that one is doubted.
//   * A session with any doubt, Windows (whose reply counts), a guest that must be looked at first, and a release that
//     is not for captures: the record comes first, as ever.
// - It is frozen no longer than the cut takes: that is what it is for.
#pragma once

#include <string>
#include <vector>

#include "sweeper/planner.h"

namespace snapfreeze::sweeper {

// The snapshots after whose capture the session may be thawed without another write, if it is to be armed now. Empty:
// it is not. It is neither to be released nor complete.
[[nodiscard]] std::vector<std::string> to_arm(const Situation& situation, const Progress& progress);

// Another leader armed it, and all that may be claimed is captured. To hold it for anything else is of no use.
[[nodiscard]] bool has_all_to_claim(const Situation& situation, const Progress& progress);

// What the arms of a session change in the plan of its thaw. `deadline`: from then on no capture counts.
void heed_arms(const Situation& situation, const Progress& progress, Mono now, Mono deadline, Plan& plan);

// A list that is longer takes too much of a Lease.
inline constexpr std::size_t kMostArmed = 256;

}  // namespace snapfreeze::sweeper
