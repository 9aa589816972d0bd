// What happens to guests, by their owners, by accident, and by somebody who freezes or thaws them by hand.
#pragma once

#include "test/sim/plan.h"

namespace sim {

// A freeze or a thaw that fails, comes late, or freezes half of the file systems.
void draw_fault_of_a_guest(Dice& dice, Plan& plan);
// It is started, stopped, reset, moved, or has a snapshot of KubeVirt's own.
void draw_fate_of_a_guest(Dice& dice, Plan& plan);
void draw_call_by_hand(Dice& dice, Plan& plan);
// By hand or by KubeVirt, so long that a rescue may be thought of, and a while after Harvester froze anybody. A backup
// may come meanwhile.
void draw_long_freeze_by_another(Dice& dice, Plan& plan);
// By hand, soon after a freeze that lasts so long that the guest reports it.
void draw_unnoticed_thaw(Dice& dice, Plan& plan);
// A pod of somebody else, with a disk of a VM's.
void draw_pod(Dice& dice, Plan& plan);

}  // namespace sim
