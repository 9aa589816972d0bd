// What happens to our own processes: they are killed, told to end, or stopped, and go on in the midst of what comes
// next.
#pragma once

#include <string>

#include "test/sim/plan.h"

namespace sim {

[[nodiscard]] std::string draw_process(Dice& dice);
void draw_crash_or_stop(Dice& dice, Plan& plan);
// One is stopped between its decision to call a guest and the call.
void draw_late_call(Dice& dice, Plan& plan);

}  // namespace sim
