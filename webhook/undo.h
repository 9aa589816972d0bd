// The Lease that an admission leaves behind for the sweeper, which says that a guest must be thawed.
#pragma once

#include <optional>

#include "freeze/session.h"
#include "kube/views.h"
#include "webhook/budget.h"
#include "webhook/reads.h"
#include "webhook/seams.h"

namespace snapfreeze::webhook {

// Ends a session of ours that must not go on, as far as the budget lasts: this session, or the one that has taken its
// place, becomes Thawing, or a new Lease is born Thawing. Somebody else's session of that guest also gets the doubts,
// as our call may have reached the guest since it began.
//
// An intent to freeze in a Lease that is Thawing was noted after the sweeper's last intent to thaw, so the sweeper
// thaws again. A resting session has already given its verdicts; it thaws again, and then rests again.
void leave_thawing(const Seams& seams, freeze::Session session, const Budget& budget);

// The guest, if Harvester's freeze of it may be undone: not if the owner opted out, not if KubeVirt has frozen it for a
// snapshot or a backup of its own, and not for a user who may not freeze it. Read again as long as the budget lasts.
std::optional<kube::VmiView> guest_to_undo(const Seams& seams, const Subject& subject, Permission& permission,
                                           const Budget& budget);

// Undoes Harvester's freeze for a snapshot that we refuse to hold. A freeze without a timer would last until somebody
// ends it. `undoing` is a session that was never created. A session that holds the guest is left alone, since it ends
// with a thaw in any case. One that is Thawing or Resting thaws again. If there is none, `undoing` is born Thawing.
// Tried again as long as the budget lasts.
void undo_harvesters_freeze(const Seams& seams, freeze::Session undoing, const Budget& budget);

}  // namespace snapfreeze::webhook
