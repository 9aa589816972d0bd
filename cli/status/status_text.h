// Status, as people and as scripts read it. Pure.
#pragma once

#include <string>

#include "base/json.h"
#include "cli/status/status.h"

namespace snapfreeze::cli {

struct StatusStyle {
  bool wide = false;
  bool colours = false;
};
[[nodiscard]] std::string to_text(const Status& status, const StatusStyle& style);

// Fields are added, never renamed: scripts read them.
[[nodiscard]] Json to_json(const Status& status);

}  // namespace snapfreeze::cli
