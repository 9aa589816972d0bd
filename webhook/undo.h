// What an admission leaves behind for the sweeper: a Lease that says that a guest must be thawed.
#pragma once

#include "freeze/session.h"
#include "webhook/budget.h"
#include "webhook/seams.h"

namespace snapfreeze::webhook {

// Of a session of ours that must not go on. As far as the budget reaches: this session, or whatever has taken its
// place, becomes Thawing, or a new Lease is born so. Somebody else's session of that guest is doubted, too, as our call
// may have reached the guest since it began.
//
// An intent to freeze that stands in a Lease that is Thawing was noted after the sweeper's last intent to thaw: the
// sweeper thaws once more. A session that rested has given its verdicts; it thaws again, and then rests again.
void leave_thawing(const Seams& seams, freeze::Session session, const Budget& budget);

// Harvester has frozen the guest for a snapshot that is refused a freeze by us. A freeze without a timer would last
// until somebody ends it. `undoing` is a session that was never created. The session of that guest that is being held
// is left alone: it ends with a thaw in any case. One that is Thawing or Resting thaws once more; where there is none,
// `undoing` is born Thawing. Tried again as far as the budget reaches.
void undo_harvesters_freeze(const Seams& seams, freeze::Session undoing, const Budget& budget);

}  // namespace snapfreeze::webhook
