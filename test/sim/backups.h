// The backups of a drawn world: Harvester's, and snapshots that tenants label.
#pragma once

#include "test/sim/dice.h"
#include "test/sim/plan.h"

namespace sim {

// Adds them to the plan, in any order.
void draw_backups(Dice& dice, Plan& plan);

}  // namespace sim
