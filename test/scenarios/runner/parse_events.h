// The part of a scenario file that says what happens during the run.
#pragma once

#include "test/scenarios/runner/fields.h"
#include "test/scenarios/runner/scenario.h"

namespace runner {

Event read_event(Fields fields, const Scenario& scenario);

}  // namespace runner
