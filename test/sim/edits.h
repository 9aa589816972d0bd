// Tenants and admins who delete objects, and change any field of them, as far as RBAC lets them.
#pragma once

#include "test/sim/dice.h"
#include "test/sim/plan.h"

namespace sim {

// Adds one deletion or change to the plan.
void draw_edit(Dice& dice, Plan& plan);
void draw_deletion_of_a_lease(Dice& dice, Plan& plan);

}  // namespace sim
