// What an admin of snapfreeze does: its commands, an installation anew, and Leases that no version of it has written.
#pragma once

#include "test/sim/plan.h"

namespace sim {

// `snapfreeze thaw`. Unlike a thaw by hand it is on record, so that no verdict may be false over it.
void draw_thaw_command(Dice& dice, Plan& plan);
// `snapfreeze drain`; some time later the webhook is registered again.
void draw_drain(Dice& dice, Plan& plan);
// A Lease among the sessions that names no guest, or that is of a version yet to come. It is removed again.
void draw_strange_lease(Dice& dice, Plan& plan);
// Whatever the API server has refused to remove, or a restored etcd has brought back.
void remove_strange_leases(History& history);

}  // namespace sim
