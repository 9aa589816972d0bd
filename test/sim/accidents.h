// What may come between the backups of a drawn world and their end. The draws of one kind stand in one function each.
#pragma once

#include "test/sim/dice.h"
#include "test/sim/plan.h"

namespace sim {

// Adds accidents to the plan, in any order: none in some histories, many in others.
void draw_accidents(Dice& dice, Plan& plan);

}  // namespace sim
