// What an admission did.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "freeze/reasons.h"
#include "webhook/patch.h"

namespace snapfreeze::webhook {

// For metrics and logs: one of these, or a reason of freeze/reasons.h.
inline constexpr std::string_view kUntouched = "untouched";
inline constexpr std::string_view kFroze = "froze";
inline constexpr std::string_view kJoined = "joined";
inline constexpr std::string_view kNoGuest = "offline";

struct Outcome {
  std::string_view decision;
  std::optional<Marks> marks;  // nullopt: not ours, so only marks that we alone may set are removed
  std::vector<std::string> warnings;
  std::string error;  // what went wrong, for the log
};

// Allowed without a freeze, and told why. `backup` and `vm`: as far as they are known.
[[nodiscard]] Outcome crash(freeze::Reason why, const std::string& backup, const std::string& vm,
                            std::string error = "");

}  // namespace snapfreeze::webhook
