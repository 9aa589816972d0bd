// What a Harvester backup of a VM would do now, by the webhook's own decision. Pure.
#pragma once

#include <string>

#include "cli/check.h"
#include "webhook/decision.h"

namespace snapfreeze::cli {

// The hold that a backup would have which does not exist yet.
[[nodiscard]] freeze::Hold hold_of_next_backup();

// `facts` as the webhook would gather them. That a sweeper leads and the webhook is reached is not its subject.
[[nodiscard]] Finding foretell(const std::string& guest, const webhook::Facts& facts);

}  // namespace snapfreeze::cli
