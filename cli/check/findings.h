// The findings of `check`: one line each, with the remedy, as text for people and as JSON for scripts. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace snapfreeze::cli {

struct Finding {
  enum class Level {
    kGood,
    kUnknown,  // it could not be checked, or we may not
    kWarning,  // some backups will not be consistent
    kError,    // no backup will be
  };
  Level level = Level::kGood;
  std::string about;
  std::string says;
  std::string remedy = {};
};

[[nodiscard]] bool has(const std::vector<Finding>& findings, Finding::Level level);
[[nodiscard]] std::string to_text(const std::vector<Finding>& findings, bool colours);
[[nodiscard]] Json to_json(const std::vector<Finding>& findings);

}  // namespace snapfreeze::cli
