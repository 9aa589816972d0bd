// What happens in a drawn world: backups, and everything that may come between them and their end. The draws of one
// kind stand in one function each.
#pragma once

#include "test/sim/dice.h"
#include "test/sim/plan.h"

namespace sim {

// Add events to the plan, in any order.
void draw_backups(Dice& dice, Plan& plan);
void draw_accidents(Dice& dice, Plan& plan);

}  // namespace sim
