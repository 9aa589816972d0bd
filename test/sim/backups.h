// The backups of a drawn world: Harvester's, and snapshots that tenants label.
#pragma once

#include "test/sim/dice.h"
#include "test/sim/plan.h"

namespace sim {

// Adds them to the plan, in any order.
void draw_backups(Dice& dice, Plan& plan);
// A snapshot of each disk of the VM, by a tenant.
void draw_labelled(Dice& dice, Plan& plan, const std::string& vm, const When& at);
// One more of Harvester's, of the victim, into whatever happens to it. An accident.
void draw_one_more(Dice& dice, Plan& plan, const When& at);
void draw_one_more_of(Dice& dice, Plan& plan, const std::string& vm, const When& at);
void add_backup_of(Plan& plan, const std::string& vm, const std::string& deadline, const When& at);

// By a tenant, who does not ask for a freeze.
void add_plain_snapshot(Plan& plan, const When& at, const std::string& claim);

}  // namespace sim
