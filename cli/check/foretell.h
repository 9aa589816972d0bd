// What a Harvester backup of a VM would do now, by the webhook's own decision and by what the sweeper would find
// afterwards. Pure.
#pragma once

#include <string>
#include <vector>

#include "cli/check/check.h"
#include "cli/shared/spoilers.h"
#include "webhook/decision.h"

namespace snapfreeze::cli {

// The hold of a backup that does not exist yet.
[[nodiscard]] freeze::Hold hold_of_next_backup();

struct Foretold {
  Wall now;
  webhook::Facts admission;          // as the webhook would gather them
  Others others;                     // of the VM's namespace, all
  std::optional<bool> takes_freeze;  // nullopt: the guest agent does not say, or was not asked
  std::vector<std::string> unseen;   // what else could not be read
};

// Says first what would happen, then what else the admin should know. It assumes that a sweeper leads and that the
// webhook is reached.
[[nodiscard]] std::vector<Finding> foretell(const std::string& guest, const Foretold& facts);

}  // namespace snapfreeze::cli
