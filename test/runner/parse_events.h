// The part of a scenario file that says what happens meanwhile.
#pragma once

#include "test/runner/fields.h"
#include "test/runner/scenario.h"

namespace runner {

Event read_event(Fields fields, const Scenario& scenario);

}  // namespace runner
