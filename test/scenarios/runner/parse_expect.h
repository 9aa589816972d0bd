// The part of a scenario file that says what must hold.
#pragma once

#include "test/scenarios/runner/fields.h"
#include "test/scenarios/runner/scenario.h"

namespace runner {

std::vector<Expectation> read_expectations(Fields fields, const Scenario& scenario);

// "filesystem", "offline", "none" or "crash (reason)"; nullopt for anything else.
std::optional<Verdict> parse_verdict(const std::string& text);

}  // namespace runner
