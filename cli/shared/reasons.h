// The reasons of verdicts (freeze/reasons.h) in words.
#pragma once

#include <string>
#include <string_view>

namespace snapfreeze::cli {

// "no-agent: the guest agent is not connected (install ...)"; the name alone of what is not known.
[[nodiscard]] std::string explain_reason(std::string_view name);

}  // namespace snapfreeze::cli
