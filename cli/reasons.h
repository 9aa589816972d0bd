// What each reason of a verdict means, and what to do about it; docs/reasons.md says the same, word for word.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace snapfreeze::cli {

struct ReasonText {
  std::string_view name;  // freeze/names.h
  std::string_view meaning;
  std::string_view remedy;  // "" when there is none
};

[[nodiscard]] std::span<const ReasonText> all_reasons();

// "no-agent: the guest agent is not connected (install ...)"; the name alone of what is not known.
[[nodiscard]] std::string explain_reason(std::string_view name);

}  // namespace snapfreeze::cli
