#include "webhook/budget.h"

#include "base/time.h"

namespace snapfreeze::webhook {
namespace {

std::string_view value_of(std::string_view query, std::string_view key) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.size() > key.size() && pair.starts_with(key) && pair[key.size()] == '=')
      return pair.substr(key.size() + 1);
  }
  return "";
}

}  // namespace

Millis time_allowed(std::string_view query) {
  const auto asked = parse_duration(value_of(query, "timeout"));
  const Millis timeout = asked && *asked > Millis(0) ? *asked : kDefaultTimeout;
  return std::min(timeout - std::min(kReserve, timeout / 2), kLongestAdmission);
}

}  // namespace snapfreeze::webhook
