#include "cli/shared/reasons.h"

#include "freeze/reasons.h"

namespace snapfreeze::cli {

std::string explain_reason(std::string_view name) {
  const freeze::Reason* reason = freeze::find_reason(name);
  if (reason == nullptr) return std::string(name);
  std::string words = std::string(name) + ": " + reason->meaning;
  if (*reason->remedy != '\0') words += " (" + std::string(reason->remedy) + ")";
  return words;
}

}  // namespace snapfreeze::cli
